package varve.archive.seal;

import java.io.ByteArrayOutputStream;
import java.util.Locale;

/// Bech32 (BIP 173, without its limit of length): how age writes keys.
///
/// @param label the human-readable part, in lower case
/// @param data the bytes
record Bech32(String label, byte[] data) {

    private static final String CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    private static final int[] GENERATOR = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    private static final int CHECKSUM_SIZE = 6;

    /// {@return the text, in lower case}
    String encode() {
        int bits = data.length * 8;
        byte[] digits = new byte[(bits + 4) / 5 + CHECKSUM_SIZE];
        for (int bit = 0; bit < bits; bit++) {
            if ((data[bit / 8] >> (7 - bit % 8) & 1) != 0) {
                digits[bit / 5] |= (byte) (16 >> bit % 5);
            }
        }
        int check = checksum(digits) ^ 1;
        for (int i = 0; i < CHECKSUM_SIZE; i++) {
            digits[digits.length - CHECKSUM_SIZE + i] = (byte) (check >> 5 * (CHECKSUM_SIZE - 1 - i) & 31);
        }
        StringBuilder text = new StringBuilder(label).append('1');
        for (byte digit : digits) {
            text.append(CHARSET.charAt(digit));
        }
        return text.toString();
    }

    /// @throws AgeFormatException if it is no Bech32, or mistyped
    static Bech32 decode(String text) throws AgeFormatException {
        String lower = text.toLowerCase(Locale.ROOT);
        int separator = lower.lastIndexOf('1');
        if ((!text.equals(lower) && !text.equals(text.toUpperCase(Locale.ROOT))) || separator < 1 || lower.length() - separator <= CHECKSUM_SIZE
                || lower.chars().anyMatch(c -> c < 33 || c > 126)) {
            throw new AgeFormatException("no key in Bech32");
        }
        Bech32 known = new Bech32(lower.substring(0, separator), new byte[0]);
        byte[] digits = new byte[lower.length() - separator - 1];
        for (int i = 0; i < digits.length; i++) {
            int digit = CHARSET.indexOf(lower.charAt(separator + 1 + i));
            if (digit < 0) {
                throw new AgeFormatException("a key with the letter \"" + lower.charAt(separator + 1 + i) + "\", which no key has: mistyped?");
            }
            digits[i] = (byte) digit;
        }
        if (known.checksum(digits) != 1) {
            throw new AgeFormatException("the checksum of the key is wrong: mistyped?");
        }
        int bits = (digits.length - CHECKSUM_SIZE) * 5;
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        int rest = 0;
        for (int i = 0; i < digits.length - CHECKSUM_SIZE; i++) {
            rest = (rest << 5 | digits[i]) & 0xfff;
            if ((i + 1) * 5 / 8 > i * 5 / 8) {
                data.write(rest >> (i + 1) * 5 % 8);
            }
        }
        if (bits % 8 > 4 || (rest & (1 << bits % 8) - 1) != 0) {
            throw new AgeFormatException("bits are left over at the end of the key");
        }
        return new Bech32(known.label, data.toByteArray());
    }

    private int checksum(byte[] digits) {
        int check = 1;
        for (int i = 0; i < label.length(); i++) {
            check = step(check, label.charAt(i) >> 5);
        }
        check = step(check, 0);
        for (int i = 0; i < label.length(); i++) {
            check = step(check, label.charAt(i) & 31);
        }
        for (byte digit : digits) {
            check = step(check, digit);
        }
        return check;
    }

    private static int step(int check, int digit) {
        int next = (check & 0x1ffffff) << 5 ^ digit;
        for (int i = 0; i < 5; i++) {
            if ((check >> 25 + i & 1) != 0) {
                next ^= GENERATOR[i];
            }
        }
        return next;
    }
}
