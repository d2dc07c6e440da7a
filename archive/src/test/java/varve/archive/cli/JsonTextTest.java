package varve.archive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

final class JsonTextTest {
    @Test
    void writesMembersInTheirOrder() {
        Captured captured = new Captured();
        try (JsonText json = new JsonText(captured.stdio(0).out())) {
            json.object().member("volume", "a\"\\\n\u0001é").member("none", null).array("points");
            json.object().member("size", 42).member("full", true).end();
            json.element(7).element("x").end();
            json.object("empty").end().array("nothing").end();
        }
        assertEquals("""
                {
                  "volume": "a\\"\\\\\\n\\u0001é",
                  "none": null,
                  "points": [
                    {
                      "size": 42,
                      "full": true
                    },
                    7,
                    "x"
                  ],
                  "empty": {},
                  "nothing": []
                }
                """, captured.out());
    }
}
