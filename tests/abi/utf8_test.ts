import { assertEquals, assertThrows } from "@std/assert";
import { decodeUtf8, encodeUtf8, utf8Length } from "../../abi/utf8.ts";

Deno.test("encodeUtf8() and decodeUtf8() agree with the platform on every code point", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(8));
  for (let point = 0; point <= 0x10ffff; point += point < 0x3000 ? 1 : 61) {
    if (point >= 0xd800 && point < 0xe000) continue;
    const text = String.fromCodePoint(point);
    const end = encodeUtf8(text, shared, { at: 1, end: 8 });
    const want = new TextEncoder().encode(text);
    if (end !== 1 + want.length || want.some((byte, index) => shared[1 + index] !== byte)) {
      assertEquals([...shared.slice(1, end)], [...want], `U+${point.toString(16)}`);
    }
    if (decodeUtf8(shared, { at: 1, end }) !== text) throw new Error(`U+${point.toString(16)}`);
  }
});

Deno.test("decodeUtf8() refuses exactly what a strict decoder refuses", () => {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const leads = [
    0x00,
    0x41,
    0x7f,
    0x80,
    0xbf,
    0xc0,
    0xc1,
    0xc2,
    0xdf,
    0xe0,
    0xed,
    0xef,
    0xf0,
    0xf4,
  ];
  const tails = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  for (const lead of [...leads, 0xf5, 0xff]) {
    for (const second of tails) {
      for (const third of tails) {
        for (const fourth of [0x80, 0x41]) {
          const bytes = Uint8Array.of(lead, second, third, fourth);
          let want: string | null = null;
          try {
            want = strict.decode(bytes);
          } catch { /* Not UTF-8. */ }
          if (want === null) {
            assertThrows(() => decodeUtf8(bytes, { at: 0, end: 4 }), Error, "EILSEQ", `${bytes}`);
          } else assertEquals(decodeUtf8(bytes, { at: 0, end: 4 }), want);
        }
      }
    }
  }
});

Deno.test("encodeUtf8() refuses lone surrogates and what does not fit", () => {
  const bytes = new Uint8Array(4);
  for (const text of ["\ud800", "\udc00", "a\ud800b", "\udc00\ud800"]) {
    assertThrows(() => encodeUtf8(text, bytes, { at: 0, end: 4 }), Error, "EILSEQ");
  }
  assertThrows(() => encodeUtf8("abcde", bytes, { at: 0, end: 4 }), Error, "ENAMETOOLONG");
  assertThrows(() => encodeUtf8("𝄞", bytes, { at: 1, end: 4 }), Error, "ENAMETOOLONG");
});

Deno.test("utf8Length() agrees with the encoder, and is -1 for a lone surrogate", () => {
  const encoder = new TextEncoder();
  for (const text of ["", "a", "\0", "ż", "€", "\ud7ff\ue000", "😀", "a😀b", "\u{10ffff}"]) {
    assertEquals(utf8Length(text), encoder.encode(text).length, JSON.stringify(text));
  }
  for (const text of ["\ud800", "\udc00x", "\ud83d\ud83d\ude00", "a\udbff"]) {
    assertEquals(utf8Length(text), -1, JSON.stringify(text));
  }
});
