/// Archives of block devices: the noun, the format, chains, vaults, and `varve` itself.
module varve.archive {
    requires static jdk.incubator.vector;
    requires static org.jspecify;
    requires com.github.luben.zstd_jni;
    requires info.picocli;
    requires tools.jackson.core;
    requires jdk.unsupported;

    exports varve.archive.linux;
}
