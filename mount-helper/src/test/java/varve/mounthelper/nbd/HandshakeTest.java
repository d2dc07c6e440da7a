package varve.mounthelper.nbd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import varve.mounthelper.Scene;
import varve.mounthelper.nbd.NbdClient.OptionReply;
import varve.mounthelper.nbd.Session.Style;

/// What clients and the server say before the first request: proto.md, sections "Handshake", "Option types".
final class HandshakeTest {

    private static final String FIRST = "tools@2026-11-20T02:00:00.000Z";
    private static final String SECOND = "tools@2026-11-21T02:00:00.000Z";
    private static final int SIZE = 300_000;

    @TempDir
    static Path folder;

    private static Scene scene;
    private static TestServer server;

    @BeforeAll
    static void serve() throws Exception {
        byte[] image = Scene.image(1, SIZE);
        scene = new Scene(folder).archive(image).archive(Scene.changed(image, 2));
        server = TestServer.serve(scene.vault);
    }

    @AfterAll
    static void end() throws Exception {
        server.close();
    }

    private static NbdClient client() throws Exception {
        return NbdClient.greeted(server.socket());
    }

    private static int flags(Style style, boolean contexts) throws Exception {
        try (NbdClient client = client()) {
            if (style == Style.STRUCTURED) {
                client.acknowledged(Protocol.OPT_STRUCTURED_REPLY);
            } else if (style == Style.EXTENDED) {
                client.acknowledged(Protocol.OPT_EXTENDED_HEADERS);
            }
            if (contexts) {
                client.acknowledged(Protocol.OPT_SET_META_CONTEXT, NbdClient.contexts(FIRST, "base:allocation"));
            }
            client.go(FIRST);
            return client.flags();
        }
    }

    // ---- finding out

    @Test
    void listGivesAllPointsWithDescriptions() throws Exception {
        try (NbdClient client = client()) {
            List<OptionReply> replies = client.acknowledged(Protocol.OPT_LIST);
            assertEquals(3, replies.size());
            for (int i = 0; i < 2; i++) {
                ByteBuffer data = ByteBuffer.wrap(replies.get(i).data());
                assertEquals(Protocol.REP_SERVER, replies.get(i).type());
                byte[] name = new byte[data.getInt()];
                data.get(name);
                assertEquals(i == 0 ? FIRST : SECOND, new String(name, StandardCharsets.UTF_8));
                assertTrue(StandardCharsets.UTF_8.decode(data).toString().startsWith("point " + (i + 1) + ", 293.0 KiB, root "));
            }
        }
    }

    @Test
    void infoGivesWhatIsAskedForAndNothingElse() throws Exception {
        try (NbdClient client = client()) {
            assertEquals(2, client.acknowledged(Protocol.OPT_INFO, NbdClient.wish(FIRST)).size());
            List<OptionReply> replies = client.acknowledged(Protocol.OPT_INFO, NbdClient.wish("tools", 1, 2, 3, 2, 99));
            assertEquals(5, replies.size());
            ByteBuffer export = ByteBuffer.wrap(replies.get(0).data());
            assertEquals(12, export.remaining());
            assertEquals(Protocol.INFO_EXPORT, export.getShort());
            assertEquals(SIZE, export.getLong());
            assertEquals("\0\1" + SECOND, replies.get(1).text());
            assertTrue(replies.get(2).text().startsWith("\0\2point 2, "));
            assertArrayEquals(new byte[] {0, 3, 0, 0, 0, 1, 0, 0, 16, 0, 2, 0, 0, 0}, replies.get(3).data());
        }
    }

    @Test
    void everyNameOfAPointIsAnExport() throws Exception {
        for (String name : List.of("tools", "tools@latest", "tools@-1", "tools@2026-11-20", FIRST)) {
            try (NbdClient client = client()) {
                client.go(name);
                assertEquals(SIZE, client.size());
                client.disconnect();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "tool", "tools@1999-01-01", "tools@", "tools@x", "../tools", "@", "tools/../tools", "tools@latest@latest"})
    void whatIsNoPointIsUnknown(String name) throws Exception {
        try (NbdClient client = client()) {
            assertEquals(Protocol.REP_ERR_UNKNOWN, client.refused(Protocol.OPT_INFO, NbdClient.wish(name)));
            assertEquals(Protocol.REP_ERR_UNKNOWN, client.refused(Protocol.OPT_GO, NbdClient.wish(name)));
            client.go(FIRST);
        }
    }

    @Test
    void aSinglePointIsTheDefaultExportAndTheOnlyOne() throws Exception {
        try (TestServer one = TestServer.serve(scene.vault, "tools@-1");
                NbdClient client = NbdClient.greeted(one.socket())) {
            assertEquals(2, client.acknowledged(Protocol.OPT_LIST).size());
            assertEquals(Protocol.REP_ERR_UNKNOWN, client.refused(Protocol.OPT_GO, NbdClient.wish(SECOND)));
            client.acknowledged(Protocol.OPT_INFO, NbdClient.wish("tools@-1"));
            client.acknowledged(Protocol.OPT_INFO, NbdClient.wish(FIRST));
            client.go("");
        }
    }

    @Test
    void pointsThatAreRecordedLaterAreThere() throws Exception {
        Scene other = new Scene(folder.resolve("other"));
        java.nio.file.Files.createDirectory(other.folder);
        byte[] image = Scene.image(3, SIZE);
        other.archive(image);
        try (TestServer all = TestServer.serve(other.vault);
                NbdClient client = NbdClient.greeted(all.socket())) {
            assertEquals(2, client.acknowledged(Protocol.OPT_LIST).size());
            other.archive(Scene.changed(image, 4));
            assertEquals(3, client.acknowledged(Protocol.OPT_LIST).size());
            client.acknowledged(Protocol.OPT_INFO, NbdClient.wish(SECOND));
        }
    }

    // ---- agreeing

    @Test
    void flagsSayWhatIsAgreedOn() throws Exception {
        int common = Protocol.HAS_FLAGS | Protocol.READ_ONLY | Protocol.CAN_MULTI_CONN | Protocol.SEND_CACHE;
        assertEquals(common, flags(Style.SIMPLE, false));
        assertEquals(common | Protocol.SEND_DF, flags(Style.STRUCTURED, true));
        assertEquals(common | Protocol.SEND_DF, flags(Style.EXTENDED, false));
        assertEquals(common | Protocol.SEND_DF | Protocol.BLOCK_STATUS_PAYLOAD, flags(Style.EXTENDED, true));
    }

    @Test
    void exportNameGoesOnWithoutAnAnswerButTheExport() throws Exception {
        for (int clientFlags : new int[] {0, NbdClient.FIXED, NbdClient.NO_ZEROES, NbdClient.FIXED | NbdClient.NO_ZEROES}) {
            try (NbdClient client = NbdClient.connect(server.socket()).greet(clientFlags)) {
                client.sendOption(Protocol.OPT_EXPORT_NAME, FIRST.getBytes(StandardCharsets.UTF_8));
                ByteBuffer export = client.receive(10 + ((clientFlags & NbdClient.NO_ZEROES) == 0 ? 124 : 0));
                assertEquals(SIZE, export.getLong());
                assertEquals(0x503, export.getShort() | Protocol.SEND_CACHE);
                assertArrayEquals(Scene.image(1, SIZE), client.read(0, SIZE));
                client.disconnect();
            }
        }
    }

    @Test
    void exportNameThatIsUnknownEndsTheConnection() throws Exception {
        try (NbdClient client = client()) {
            client.sendOption(Protocol.OPT_EXPORT_NAME, "nothing".getBytes(StandardCharsets.UTF_8));
            assertTrue(client.hungUp());
        }
    }

    @Test
    void exportNameAfterExtendedHeadersEndsTheConnection() throws Exception {
        try (NbdClient client = client()) {
            client.acknowledged(Protocol.OPT_EXTENDED_HEADERS);
            client.sendOption(Protocol.OPT_EXPORT_NAME, FIRST.getBytes(StandardCharsets.UTF_8));
            assertTrue(client.hungUp());
        }
    }

    @Test
    void extendedHeadersTakePrecedenceOverStructuredReplies() throws Exception {
        try (NbdClient client = client()) {
            client.acknowledged(Protocol.OPT_STRUCTURED_REPLY);
            client.acknowledged(Protocol.OPT_EXTENDED_HEADERS);
            assertEquals(Protocol.REP_ERR_EXT_HEADER_REQD, client.refused(Protocol.OPT_STRUCTURED_REPLY));
            client.acknowledged(Protocol.OPT_EXTENDED_HEADERS);
            client.go(FIRST);
            assertArrayEquals(Scene.image(1, SIZE), client.read(0, SIZE));
        }
    }

    @Test
    void abortIsAcknowledgedWithWhateverData() throws Exception {
        for (int size : new int[] {0, 5, 100_000}) {
            try (NbdClient client = client()) {
                assertEquals(Protocol.REP_ACK, client.option(Protocol.OPT_ABORT, new byte[size]).getFirst().type());
                assertTrue(client.hungUp());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 4, 12, 77, -1, Integer.MIN_VALUE})
    void unknownOptionsAreUnsupported(int option) throws Exception {
        try (NbdClient client = client()) {
            assertEquals(Protocol.REP_ERR_UNSUP, client.refused(option, new byte[3]));
            assertEquals(Protocol.REP_ERR_UNSUP, client.refused(option));
            client.go(FIRST);
        }
    }

    @Test
    void thereIsNoTls() throws Exception {
        try (NbdClient client = client()) {
            assertEquals(Protocol.REP_ERR_UNSUP, client.refused(Protocol.OPT_STARTTLS));
            client.go(FIRST);
        }
    }

    // ---- contexts

    private static List<String> listed(NbdClient client, String... queries) throws Exception {
        return client.acknowledged(Protocol.OPT_LIST_META_CONTEXT, NbdClient.contexts(FIRST, queries)).stream()
                .filter(reply -> reply.type() == Protocol.REP_META_CONTEXT)
                .peek(reply -> assertEquals(0, ByteBuffer.wrap(reply.data()).getInt()))
                .map(reply -> reply.text().substring(4))
                .toList();
    }

    private static List<String> set(NbdClient client, String... queries) throws Exception {
        return client.acknowledged(Protocol.OPT_SET_META_CONTEXT, NbdClient.contexts(FIRST, queries)).stream()
                .filter(reply -> reply.type() == Protocol.REP_META_CONTEXT)
                .peek(reply -> assertTrue(ByteBuffer.wrap(reply.data()).getInt() > 0))
                .map(reply -> reply.text().substring(4))
                .toList();
    }

    @Test
    void contextsAreListedByNameWildcardOrAll() throws Exception {
        try (NbdClient client = client()) {
            assertEquals(List.of("base:allocation", "varve:archive"), listed(client));
            assertEquals(List.of("base:allocation"), listed(client, "base:"));
            assertEquals(List.of("varve:archive"), listed(client, "varve:"));
            assertEquals(List.of("varve:archive"), listed(client, "varve:archive", "varve:", "qemu:dirty-bitmap:x"));
            assertEquals(List.of(), listed(client, "qemu:", "base:nothing", "base:allocation2"));
            assertEquals(Protocol.REP_ERR_UNKNOWN, client.refused(Protocol.OPT_LIST_META_CONTEXT, NbdClient.contexts("nothing")));
        }
    }

    @Test
    void contextsAreSetByNameAlone() throws Exception {
        try (NbdClient client = client()) {
            client.acknowledged(Protocol.OPT_STRUCTURED_REPLY);
            assertEquals(List.of(), set(client, "base:", "varve:"));
            assertEquals(List.of(), set(client));
            assertEquals(List.of("varve:archive"), set(client, "varve:archive", "varve:archive", "x-y:z"));
            assertEquals(List.of("varve:archive", "base:allocation"), set(client, "varve:archive", "base:allocation"));
        }
    }

    @Test
    void contextsNeedStructuredReplies() throws Exception {
        try (NbdClient client = client()) {
            assertEquals(
                    Protocol.REP_ERR_INVALID,
                    client.refused(Protocol.OPT_SET_META_CONTEXT, NbdClient.contexts(FIRST, "base:allocation")));
            listed(client);
        }
    }

    /// proto.md, NBD_OPT_SET_META_CONTEXT: each replaces those of before, also when it fails, and is for one export
    @Test
    void contextsAreThoseOfTheLastSetForTheExport() throws Exception {
        record Last(byte[] data, String export, int expected) {}
        List<Last> cases = List.of(
                new Last(NbdClient.contexts(FIRST, "base:allocation"), FIRST, 0),
                new Last(NbdClient.contexts(FIRST, "base:allocation"), SECOND, Protocol.EINVAL),
                new Last(NbdClient.contexts(FIRST), FIRST, Protocol.EINVAL),
                new Last(NbdClient.contexts("nothing", "base:allocation"), FIRST, Protocol.EINVAL),
                new Last(new byte[2], FIRST, Protocol.EINVAL));
        for (Last last : cases) {
            try (NbdClient client = client()) {
                client.acknowledged(Protocol.OPT_STRUCTURED_REPLY);
                set(client, "base:allocation");
                client.option(Protocol.OPT_SET_META_CONTEXT, last.data);
                client.go(last.export);
                assertEquals(last.expected, client.ask(0, Command.BLOCK_STATUS, 0, 4096).error(), last::toString);
            }
        }
    }

    // ---- what is not well-formed

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(ints = {Protocol.OPT_LIST, Protocol.OPT_STRUCTURED_REPLY, Protocol.OPT_EXTENDED_HEADERS})
    void dataWhereNoneBelongsIsInvalid(int option) throws Exception {
        try (NbdClient client = client()) {
            assertEquals(Protocol.REP_ERR_INVALID, client.refused(option, new byte[1]));
            assertEquals(Protocol.REP_ERR_INVALID, client.refused(option, new byte[64 << 10]));
            assertEquals(Protocol.REP_ERR_TOO_BIG, client.refused(option, new byte[(64 << 10) + 1]));
            client.go(FIRST);
        }
    }

    @Test
    void malformedDataOfInfoAndGoIsInvalid() throws Exception {
        byte[] good = NbdClient.wish(FIRST, 1, 2);
        byte[] longer = Arrays.copyOf(good, good.length + 1);
        byte[] huge = NbdClient.wish("x".repeat(4097));
        byte[] nul = NbdClient.wish("tools\0");
        try (NbdClient client = client()) {
            for (int option : new int[] {Protocol.OPT_INFO, Protocol.OPT_GO}) {
                for (int size = 0; size < good.length; size++) {
                    assertEquals(Protocol.REP_ERR_INVALID, client.refused(option, Arrays.copyOf(good, size)), "cut to " + size);
                }
                for (byte[] bad : List.of(
                        longer, huge, nul,
                        bytes(0xff, 0xff, 0xff, 0xff, 0, 0), // a length of 4 GiB, or -1
                        bytes(0x7f, 0xff, 0xff, 0xff, 0, 0),
                        bytes(0, 0, 0, 1, 0xff, 0, 0), // not UTF-8
                        bytes(0, 0, 0, 2, 0xc0, 0x80, 0, 0), // an overlong NUL
                        bytes(0, 0, 0, 0, 0, 1), // one info, which is not there
                        bytes(0, 0, 0, 0, 0xff, 0xff))) {
                    assertEquals(Protocol.REP_ERR_INVALID, client.refused(option, bad), () -> Arrays.toString(bad));
                }
            }
            client.go(FIRST);
        }
    }

    @Test
    void malformedDataOfContextsIsInvalid() throws Exception {
        byte[] good = NbdClient.contexts(FIRST, "base:allocation", "varve:archive");
        try (NbdClient client = client()) {
            client.acknowledged(Protocol.OPT_STRUCTURED_REPLY);
            for (int option : new int[] {Protocol.OPT_LIST_META_CONTEXT, Protocol.OPT_SET_META_CONTEXT}) {
                for (int size = 0; size < good.length; size++) {
                    assertEquals(Protocol.REP_ERR_INVALID, client.refused(option, Arrays.copyOf(good, size)), "cut to " + size);
                }
                for (byte[] bad : List.of(
                        Arrays.copyOf(good, good.length + 1),
                        NbdClient.contexts(FIRST, "allocation"),
                        NbdClient.contexts(FIRST, ":allocation"),
                        NbdClient.contexts(FIRST, ""),
                        NbdClient.contexts(FIRST, "base:\0"),
                        bytes(0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff), // so many queries
                        bytes(0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff),
                        bytes(0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff))) {
                    assertEquals(Protocol.REP_ERR_INVALID, client.refused(option, bad), () -> Arrays.toString(bad));
                }
            }
            client.go(FIRST);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 7, 0x8000_0000, -1})
    void unknownClientFlagsEndTheConnection(int flags) throws Exception {
        try (NbdClient client = NbdClient.connect(server.socket()).greet(flags)) {
            assertTrue(client.hungUp());
        }
    }

    @Test
    void withoutFixedNewstyleThereIsOnlyExportName() throws Exception {
        try (NbdClient client = NbdClient.connect(server.socket()).greet(0)) {
            client.sendOption(Protocol.OPT_LIST);
            assertTrue(client.hungUp());
        }
    }

    @Test
    void somethingElseThanAnOptionEndsTheConnection() throws Exception {
        try (NbdClient client = client()) {
            client.send(ByteBuffer.allocate(16).putLong(Protocol.IHAVEOPT + 1).putInt(Protocol.OPT_LIST).putInt(0));
            assertTrue(client.hungUp());
        }
        try (NbdClient client = client()) { // as in old times
            client.send(ByteBuffer.allocate(28).putInt(Protocol.REQUEST_MAGIC).position(28));
            assertTrue(client.hungUp());
        }
    }

    @Test
    void anOptionOfGigabytesEndsTheConnection() throws Exception {
        try (NbdClient client = client()) {
            client.send(ByteBuffer.allocate(16).putLong(Protocol.IHAVEOPT).putInt(Protocol.OPT_GO).putInt(-1));
            assertTrue(client.hungUp());
        }
    }

    // ---- time

    @Test
    void whoDoesNotChooseIsSentAwayOthersAreNot() throws Exception {
        Settings impatient = new Settings(Optional.empty(), Optional.empty(), Duration.ofMillis(100), Duration.ofMillis(200), 10);
        try (TestServer quick = TestServer.serve(scene.vault, impatient, "tools");
                NbdClient silent = NbdClient.connect(quick.socket());
                NbdClient slow = NbdClient.connect(quick.socket())) {
            slow.receive(18);
            slow.send(ByteBuffer.allocate(3));
            assertTrue(silent.receive(18).hasRemaining());
            assertTrue(silent.hungUp());
            assertTrue(slow.hungUp());
            assertTrue(quick.log().stream().anyMatch(line -> line.contains("has not chosen an export")));
        }
    }

    @Test
    void aClientTooManyIsSentAway() throws Exception {
        Settings few = new Settings(Optional.empty(), Optional.empty(), Duration.ofMinutes(5), Duration.ofMillis(200), 2);
        try (TestServer small = TestServer.serve(scene.vault, few, "tools");
                NbdClient first = NbdClient.greeted(small.socket());
                NbdClient second = NbdClient.greeted(small.socket())) {
            try (NbdClient third = NbdClient.connect(small.socket())) {
                assertTrue(third.hungUp());
            }
            first.go("");
            second.acknowledged(Protocol.OPT_ABORT);
            assertTrue(second.hungUp());
            try (NbdClient next = awaitRoom(small)) {
                next.go("");
            }
        }
    }

    /// the server notices a little later that one has gone
    private static NbdClient awaitRoom(TestServer small) throws Exception {
        while (true) {
            NbdClient next = NbdClient.connect(small.socket());
            try {
                return next.greet(NbdClient.FIXED);
            } catch (java.io.IOException e) {
                next.close();
            }
        }
    }

    @Test
    void itEndsByItselfWhenThereIsNoClientForLongEnough() throws Exception {
        Settings idle = new Settings(Optional.empty(), Optional.of(Duration.ofMillis(300)), Duration.ofMinutes(5), Duration.ofMillis(200), 2);
        try (TestServer brief = TestServer.serve(scene.vault, idle, "tools")) {
            brief.awaitEnd();
            assertFalse(java.nio.file.Files.exists(brief.socket()));
        }
    }

    @ParameterizedTest
    @EnumSource
    void whenItEndsRequestsAreDoneAndClientsSentAway(Style style) throws Exception {
        try (TestServer brief = TestServer.serve(scene.vault, "tools@-1");
                NbdClient client = NbdClient.transmitting(brief.socket(), "", style);
                NbdClient other = NbdClient.greeted(brief.socket())) {
            assertArrayEquals(Scene.image(1, SIZE), client.read(0, SIZE));
            brief.end();
            brief.awaitEnd();
            assertTrue(client.hungUp());
            assertTrue(other.hungUp());
        }
    }
}
