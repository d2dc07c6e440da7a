/// Getting a point in time back: restore to a file or a device.
module varve.mounthelper {
    requires static org.jspecify;
    requires varve.archive;
    requires info.picocli;
}
