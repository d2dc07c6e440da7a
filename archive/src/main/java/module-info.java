/// Archives of block devices: the noun, the format, chains, vaults, and `varve` itself.
module varve.archive {
    requires static jdk.incubator.vector;
    requires static org.jspecify;
    requires com.github.luben.zstd_jni;
    requires info.picocli;
    requires tools.jackson.core;
    requires jdk.unsupported;

    exports varve.archive.cli;
    exports varve.archive.linux;

    opens varve.archive.cli to info.picocli;

    uses varve.archive.cli.Verb;

    provides varve.archive.cli.Verb with
            varve.archive.cli.Demo;
}
