package varve.archive.hash;
public final class Hashing { public static void warmUp(){} public static String kernel(){return "stub";} }
