/// Proof: depths, findings, coverage.
module varve.verify {
    requires static org.jspecify;
    requires varve.archive;
    requires info.picocli;

    exports varve.verify;

    opens varve.verify.cli to info.picocli;

    provides varve.archive.cli.Verb with
            varve.verify.cli.HashVerb,
            varve.verify.cli.HealVerb,
            varve.verify.cli.VerifyVerb;
}
