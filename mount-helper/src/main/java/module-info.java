/// Getting a point in time back: restore to a file or a device, or use it where it is.
module varve.mounthelper {
    requires static org.jspecify;
    requires transitive varve.archive;
    requires info.picocli;

    exports varve.mounthelper;

    opens varve.mounthelper.cli to info.picocli;

    provides varve.archive.cli.Verb with
            varve.mounthelper.cli.RestoreVerb,
            varve.mounthelper.cli.ExportVerb,
            varve.mounthelper.cli.ServeVerb,
            varve.mounthelper.cli.MountVerb,
            varve.mounthelper.cli.UmountVerb,
            varve.mounthelper.cli.OverlayVerb;
    provides varve.archive.cli.SourceKind with
            varve.mounthelper.overlay.OverlaySource;
}
