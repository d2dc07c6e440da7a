package varve.archive.cli;

import java.util.Optional;
import varve.archive.sign.PublicKey;

/// One page about a signing key, to be kept in a safe.
final class KeySheet {

    private KeySheet() {}

    static String of(PublicKey key, Optional<String> secret) {
        return """
                SIGNING KEY OF VARVE ARCHIVES                                     keep this page in a safe

                key id       %s
                public key   %s

                Offline archives of block devices are signed with this key. A disk of them is a folder with a file
                RESCUE.md, which says how to get the data back. Whether a disk is what was written to it, and not
                what somebody has made of it since, shows with the program minisign and this page alone:

                    cd /mnt/DISK/VOLUME
                    minisign -V -P %s -m varve-head.jsonl
                    sed -n 's/.*"manifest":"\\([^"]*\\)","hash":"\\([0-9a-f]*\\)".*/\\2  \\1/p' varve-head.jsonl | b3sum --check

                The first command has to end with "Signature and comment signature verified", the second to say OK
                for each file. Each of these files names the hash of the data that belongs to it; RESCUE.md and the
                script beside it check that one.

                With varve:   echo '* %s' >> /etc/varve/trust && varve verify VOLUME --vault /mnt/DISK
                %s""".formatted(key.id(), key.text(), key.text(), key.text(), secret.map(KeySheet::secret).orElse("""

                This page holds the public key only. It signs nothing, and need not be kept secret.
                """));
    }

    private static String secret(String line) {
        return """

                SECRET KEY: whoever reads this page, and knows the password if there is one, can sign. To use it, put these
                two lines into a file that only you can read, and name it with VARVE_SIGN_KEY or minisign -S -s:

                untrusted comment: varve secret key
                %s
                """.formatted(line);
    }
}
