/// Proof: depths, findings, coverage.
module varve.verify {
    requires static org.jspecify;
    requires varve.archive;
    requires info.picocli;

    exports varve.verify;
    exports varve.verify.audit;
    exports varve.verify.source;
    exports varve.verify.status;
    exports varve.verify.work;

    opens varve.verify.cli to info.picocli;

    provides varve.archive.cli.Verb with
            varve.verify.cli.AuditVerb,
            varve.verify.cli.HashVerb,
            varve.verify.cli.HealVerb,
            varve.verify.cli.StatusVerb,
            varve.verify.cli.VerifyVerb;
}
