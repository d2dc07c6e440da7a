/// Archives of block devices: the noun, the format, chains, vaults, and `varve` itself.
module varve.archive {
    requires static jdk.incubator.vector;
    requires static org.jspecify;
    requires com.github.luben.zstd_jni;
    requires info.picocli;
    requires org.bouncycastle.provider;
    requires com.fasterxml.aalto;
    requires tools.jackson.core;
    requires org.apache.commons.compress;
    requires org.tukaani.xz;
    requires java.xml;
    requires jdk.unsupported;

    exports varve.archive;
    exports varve.archive.block;
    exports varve.archive.chain;
    exports varve.archive.cli;
    exports varve.archive.codec;
    exports varve.archive.file;
    exports varve.archive.foreign;
    exports varve.archive.format;
    exports varve.archive.hash;
    exports varve.archive.linux;
    exports varve.archive.partition;
    exports varve.archive.retention;
    exports varve.archive.seal;
    exports varve.archive.sign;
    exports varve.archive.vault;

    opens varve.archive.cli to info.picocli;

    uses varve.archive.cli.SourceKind;
    uses varve.archive.cli.Verb;

    provides varve.archive.cli.Verb with
            varve.archive.cli.ArchiveVerb,
            varve.archive.cli.SnapshotsVerb,
            varve.archive.cli.ImportVerb,
            varve.archive.cli.ListVerb,
            varve.archive.cli.ShowVerb,
            varve.archive.cli.DiffVerb,
            varve.archive.cli.PartitionsVerb,
            varve.archive.cli.PolicyVerb,
            varve.archive.cli.ProtectVerb,
            varve.archive.cli.ExpireVerb,
            varve.archive.cli.WhereVerb,
            varve.archive.cli.ConsolidateVerb,
            varve.archive.cli.CopyVerb,
            varve.archive.cli.EvictVerb,
            varve.archive.cli.VaultVerb,
            varve.archive.cli.SealVerb,
            varve.archive.cli.CatalogueVerb,
            varve.archive.cli.KeyVerb,
            varve.archive.cli.TrustVerb,
            varve.archive.cli.SignVerb,
            varve.archive.cli.Demo;
}
