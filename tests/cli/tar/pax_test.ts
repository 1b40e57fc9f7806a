/** Extended headers. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  encodePax,
  parsePax,
  secondsOf,
  textOf,
  timeOf,
  xattrKey,
  xattrsIn,
} from "../../../cli/tar/pax.ts";

Deno.test("encodePax() and parsePax() carry any bytes, whatever the length of a record", () => {
  for (const length of [0, 1, 80, 90, 91, 92, 93, 94, 95, 990, 991, 992, 993, 9990, 9991, 9992]) {
    const value = crypto.getRandomValues(new Uint8Array(length));
    const records = new Map([["key", value], ["other", new Uint8Array([0x0a, 0x3d])]]);
    const bytes = encodePax(records);
    assertEquals(parsePax(bytes), records);
    const [said] = new TextDecoder("latin1").decode(bytes).split(" ");
    assertEquals(bytes[Number(said) - 1], 0x0a);
  }
});

Deno.test("parsePax() refuses what is damaged", () => {
  const bad = ["5", "99 a=b\n", "6 a=bc\n", "0 a=b\n", "x a=b\n", "6 abcd\n", "-6 a=b\n"];
  for (const text of bad) {
    const bytes = new TextEncoder().encode(text);
    assertThrows(() => parsePax(bytes), Error, "extended header is damaged", text);
  }
});

Deno.test("parsePax() makes one map of the records that say each piece of a sparse file", () => {
  const pairs = ["offset", "numbytes", "offset", "numbytes"].map((key, index) =>
    encodePax(new Map([[`GNU.sparse.${key}`, new TextEncoder().encode(String(index * 512))]]))
  );
  const records = parsePax(new Uint8Array(pairs.flatMap((bytes) => [...bytes])));
  assertEquals([...records.keys()], ["GNU.sparse.map"]);
  assertEquals(textOf(records.get("GNU.sparse.map")!).text, "0,512,1024,1536");
});

Deno.test("secondsOf() and timeOf() lose nothing of a time in ms", () => {
  const times = [0, 1, -1, 1500, -1500, 1.25, -0.5, 1700000000123.4568, -315619199750, 2 ** 40];
  for (const time of times) assertEquals(timeOf(secondsOf(time)), time, secondsOf(time));
  assertEquals(secondsOf(-1500), "-1.5");
  assertEquals(secondsOf(-500), "-0.5");
  assertEquals(secondsOf(1700000000250), "1700000000.25");
  assertEquals(timeOf("1700000000.123456789"), 1700000000123.4568);
  for (const text of ["", "x", "1e5", "1.5.5", "99999999999999"]) assertEquals(timeOf(text), null);
});

Deno.test("xattrsIn() reads what xattrKey() writes", () => {
  for (const name of ["user.a", "user.a=b", "user.100%", "user.%3D"]) {
    assertEquals(xattrKey(name).includes("="), false);
    const records = new Map([[xattrKey(name), new Uint8Array([1])], ["mtime", new Uint8Array()]]);
    assertEquals([...xattrsIn(records).keys()], [name]);
  }
});

Deno.test("textOf() escapes bytes that are no UTF-8, and only these", () => {
  const bytes = new Uint8Array([0xc3, 0xa4, 0xc3, 0x41, 0xff]);
  assertEquals(textOf(bytes), { text: "ä%C3A%FF", isExact: false });
  assertEquals(textOf(new TextEncoder().encode("\ufeffä")), { text: "\ufeffä", isExact: true });
});
