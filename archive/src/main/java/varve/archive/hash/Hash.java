package varve.archive.hash;
import java.lang.foreign.*; import java.nio.ByteOrder; import java.util.HexFormat;
public record Hash(long w0, long w1, long w2, long w3) {
  public static final int SIZE = 32;
  static final ValueLayout.OfLong L = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  public static Hash read(MemorySegment f, long p){ return new Hash(f.get(L,p),f.get(L,p+8),f.get(L,p+16),f.get(L,p+24)); }
  public void write(MemorySegment t, long p){ t.set(L,p,w0);t.set(L,p+8,w1);t.set(L,p+16,w2);t.set(L,p+24,w3); }
  public static Hash of(byte[] b){ return read(MemorySegment.ofArray(b),0);} 
  public byte[] bytes(){ byte[] b=new byte[32]; write(MemorySegment.ofArray(b),0); return b; }
  public static Hash parse(String h){ if(!h.matches("[0-9a-f]{64}")) throw new IllegalArgumentException("no hash: "+h); return of(HexFormat.of().parseHex(h)); }
  public String toString(){ return HexFormat.of().formatHex(bytes()); }
  public String brief(){ return toString().substring(0,12); }
}
