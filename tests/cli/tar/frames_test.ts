/** Headers picked out of a stream. */
import { assertEquals, assertThrows } from "@std/assert";
import { type Frame, Frames, inBlocks } from "../../../cli/tar/frames.ts";
import { BLOCK_BYTES, FIELD, numberIn } from "../../../cli/tar/header.ts";
import { shownName } from "../../../cli/tar/names.ts";
import { encodePax } from "../../../cli/tar/pax.ts";
import { oldSparse, tarOf } from "../../support/tar_bytes.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function framesOf(bytes: Uint8Array, step = bytes.length): Frame[] {
  const found: Frame[] = [];
  const frames = new Frames((frame) => void found.push(frame));
  for (let at = 0; at < bytes.length; at += step) frames.push(bytes.slice(at, at + step));
  return found;
}

Deno.test("Frames finds every entry, however the stream is cut", () => {
  const long = "n".repeat(300);
  const bytes = tarOf([
    { name: "a", body: "x".repeat(1500), numbers: { mtime: 7 } },
    { name: "short", pax: { path: `d/${long}`, "SCHILY.xattr.user.a": new Uint8Array([0, 255]) } },
    { name: "././@LongLink", type: "L", body: `${long}\0` },
    { name: "cut", type: "2", link: "a" },
    { name: "dev", type: "4", numbers: { major: 8, minor: 300 } },
  ]);
  for (const step of [512, 1024, bytes.length]) {
    const found = framesOf(bytes, step);
    const names = found.map(({ type, name, linkName }) => `${type} ${name} ${linkName}`);
    assertEquals(names, ["0 a ", `0 d/${long} `, `2 ${long} a`, "4 dev "]);
    assertEquals([found[0]!.sizeBytes, found[0]!.mtimeSeconds], [1500, 7]);
    assertEquals([...found[1]!.pax.get("SCHILY.xattr.user.a")!], [0, 255]);
    assertEquals(found[2]!.pax.size, 0);
    assertEquals([found[3]!.major, found[3]!.minor], [8, 300]);
  }
});

Deno.test("Frames keeps names that are no UTF-8 apart", () => {
  const names = [new Uint8Array([0x61, 0xff]), new Uint8Array([0x61, 0xfe]), "\ufeffb"];
  const found = framesOf(tarOf(names.map((name) => ({ name }))));
  const said = found.map(({ name }) => [shownName(name), name.isWellFormed()]);
  assertEquals(said, [["a%FF", false], ["a%FE", false], ["\ufeffb", true]]);
  const alike = framesOf(tarOf([{ name: names[0]! }, { name: "a%FF" }]));
  assertEquals(new Set(alike.map(({ name }) => name)).size, 2);
});

Deno.test("Frames passes on neither the further blocks of an old sparse header nor what follows the end", () => {
  const pieces = Array.from({ length: 30 }, (_, index) => ({ at: index * 4096, length: 1 }));
  const archive = tarOf([oldSparse("s", { pieces, sizeBytes: 200_000 }), { name: "a", body: "b" }]);
  const bytes = new Uint8Array([...archive, ...tarOf([{ name: "more" }])]);
  for (const step of [BLOCK_BYTES, 3 * BLOCK_BYTES, bytes.length]) {
    const found: Frame[] = [];
    const passed: Uint8Array[] = [];
    const frames = new Frames((frame) => void found.push(frame));
    for (let at = 0; at < bytes.length; at += step) {
      frames.push(bytes.slice(at, at + step), (piece) => void passed.push(piece));
    }
    assertEquals(found.map(({ name }) => name), ["s", "a"]);
    assertEquals(found[0]!.sparse, { name: null, sizeBytes: 200_000, pieces });
    // Of the sparse file the header and 30 bytes, of the other both blocks, and the end.
    const whole = new Uint8Array(passed.flatMap((piece) => [...piece]));
    assertEquals(whole.length, 6 * BLOCK_BYTES);
    assertEquals([whole[FIELD.TYPE], numberIn(whole, FIELD.SIZE)], [0x30, 30]);
    assertEquals([frames.isOver, frames.hasTail], [true, true]);
  }
});

Deno.test("Frames skips one block of zeros, as GNU tar does, and sees no tail in zeros", () => {
  const [a, b] = ["a", "b"].map((name) => tarOf([{ name }]));
  const frames = new Frames((frame) => void found.push(frame.name));
  const found: string[] = [];
  frames.push(new Uint8Array([...a!.subarray(0, 1024), ...b!, ...new Uint8Array(9000)]));
  assertEquals([found, frames.hasTail], [["a", "b"], false]);
});

Deno.test("Frames takes a checksum that was made of bytes with a sign", () => {
  const bytes = tarOf([{ name: "é" }]);
  const sum = numberIn(bytes, FIELD.CHECKSUM) - 2 * 256;
  bytes.set(bytesOf(`${sum.toString(8).padStart(6, "0")}\0 `), FIELD.CHECKSUM[0]);
  assertEquals(framesOf(bytes).map(({ name }) => name), ["é"]);
  bytes[0]! ^= 1;
  assertThrows(() => framesOf(bytes), Error, "it is not a tar");
});

Deno.test("Frames says where a header is damaged, and what is no tar at all", () => {
  const bytes = tarOf([{ name: "a", body: "b" }, { name: "c" }]);
  bytes[1024]! ^= 1;
  assertThrows(() => framesOf(bytes), Error, "the header at byte 1024 is damaged");
  assertThrows(() => framesOf(new Uint8Array(512).fill(65)), Error, "it is not a tar");
  assertThrows(() => framesOf(bytes.slice(0, 100)), Error, "it is cut short");
  const size = tarOf([{ name: "a", pax: { size: "-5" } }]);
  assertThrows(() => framesOf(size), Error, "has no size");
});

Deno.test("Frames bounds the sum of all global headers, and lets each be said again", () => {
  const global = (pax: Record<string, string>) => ({
    name: "pax_global_header",
    type: "g",
    body: encodePax(new Map(Object.entries(pax).map(([key, text]) => [key, bytesOf(text)]))),
  });
  const long = "z".repeat(3 << 20);
  const again = Array.from({ length: 20 }, (_, index) => global({ comment: long + index }));
  const [found] = framesOf(tarOf([...again, { name: "a" }]));
  assertEquals(found!.pax.get("comment")!.length, long.length + 2);
  const others = [0, 1, 2].map((index) => global({ [`key${index}`]: long }));
  assertThrows(() => framesOf(tarOf([...others, { name: "a" }])), Error, "global headers of over");
  const many = Object.fromEntries(Array.from({ length: 40_000 }, (_, index) => [`k${index}`, ""]));
  assertThrows(
    () => framesOf(tarOf([global(many), { name: "a" }])),
    Error,
    "global headers of over",
  );
});

Deno.test("inBlocks() cuts any stream into whole blocks", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(5000));
  for (const step of [1, 700, 5000]) {
    const cut: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += step) cut.push(bytes.slice(at, at + step));
    const out: number[] = [];
    const lengths: number[] = [];
    for await (const piece of ReadableStream.from(cut).pipeThrough(inBlocks())) {
      out.push(...piece);
      lengths.push(piece.length % 512);
    }
    assertEquals(new Uint8Array(out), bytes);
    assertEquals(lengths.slice(0, -1).every((rest) => rest === 0), true);
  }
});
