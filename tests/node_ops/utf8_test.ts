import { assertEquals } from "@std/assert";
import { utf8Length } from "../../node_ops/utf8.ts";

Deno.test("utf8Length() agrees with the encoder, lone surrogates included", () => {
  const encoder = new TextEncoder();
  for (const text of ["", "a", "ż", "€", "😀", "a😀b", "\ud800", "\udc00x", "\ud83d\ud83d\ude00"]) {
    assertEquals(utf8Length(text), encoder.encode(text).length, JSON.stringify(text));
  }
});
