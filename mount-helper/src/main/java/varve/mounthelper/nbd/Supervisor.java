package varve.mounthelper.nbd;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import varve.archive.linux.Linux;

/// Whoever has started this process and wants to know how it is: systemd, by way of sd_notify(3).
///
/// @param socket where it listens, as NOTIFY_SOCKET in the environment says; null if there is nobody
public record Supervisor(@Nullable String socket) {

    /// Tells that clients can connect.
    ///
    /// @param status a line for people
    public void ready(String status) throws IOException {
        notify("READY=1\nSTATUS=" + status);
    }

    /// Tells that the process is about to end.
    public void stopping() throws IOException {
        notify("STOPPING=1");
    }

    private void notify(String message) throws IOException {
        if (socket != null && !socket.isEmpty()) {
            Linux.sendDatagram(socket, message.getBytes(StandardCharsets.UTF_8));
        }
    }
}
