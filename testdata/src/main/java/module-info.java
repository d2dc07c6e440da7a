/// Deterministic images, histories and damage for tests; knows none of varve's classes.
module varve.testdata {
    requires static org.jspecify;

    exports varve.testdata;
}
