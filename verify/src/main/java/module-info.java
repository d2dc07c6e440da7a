/// Proof: depths, findings, coverage.
module varve.verify {
    requires static org.jspecify;
    requires varve.archive;
    requires info.picocli;
}
