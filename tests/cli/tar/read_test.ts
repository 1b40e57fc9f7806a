/** A tar as a stream of entries. */
import { assertEquals, assertRejects } from "@std/assert";
import { FIELD, seal } from "../../../cli/tar/header.ts";
import { readTar } from "../../../cli/tar/read.ts";
import { type Entry, entryBytes, tarOf } from "../../support/tar_bytes.ts";

async function* inPieces(bytes: Uint8Array, step: number): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += step) {
    yield await Promise.resolve(bytes.slice(at, at + step));
  }
}

async function list(bytes: Uint8Array, { step = 700, skips = false } = {}): Promise<string[]> {
  const said: string[] = [];
  for await (const { type, name, mtimeMs, uid, body } of readTar(inPieces(bytes, step))) {
    const contents: number[] = [];
    if (!skips) { for await (const piece of body) contents.push(...piece); }
    said.push(`${type} ${name} ${mtimeMs} ${uid} ${contents.length}`);
  }
  return said;
}

Deno.test("readTar() gives entries with their bodies, read or not, however the stream is cut", async () => {
  const bytes = tarOf([
    { name: "d/", type: "5" },
    { name: "a", body: "x".repeat(3000), pax: { mtime: "-1.5", uid: "3000000" } },
    { name: "b", body: "y" },
  ]);
  for (const step of [100, 512, 4096]) {
    assertEquals(await list(bytes, { step }), [
      "5 d/ 1000000000000 0 0",
      "0 a -1500 3000000 3000",
      "0 b 1000000000000 0 1",
    ]);
  }
  assertEquals((await list(bytes, { skips: true })).length, 3);
});

Deno.test("readTar() takes a time before 1970 in GNU's binary form", async () => {
  const bytes = tarOf([{ name: "old" }]);
  bytes.fill(0xff, 136, 148);
  bytes[147] = 0x9c; // -100
  const sum = bytes.subarray(0, 512).reduce((total, byte, at) => {
    return total + (at >= 148 && at < 156 ? 0x20 : byte);
  }, 0);
  bytes.set(new TextEncoder().encode(sum.toString(8).padStart(6, "0")), 148);
  assertEquals(await list(bytes), ["0 old -100000 0 0"]);
});

Deno.test("readTar() fails for what is cut short or damaged anywhere, and never hangs", async () => {
  const entries: Entry[] = [{ name: "a", body: "x".repeat(2000) }, {
    name: "b",
    pax: { mtime: "1" },
  }];
  const bytes = tarOf(entries);
  for (let end = 0; end < bytes.length - 512; end += 256) {
    await assertRejects(() => list(bytes.slice(0, end)), Error, "EIO", `cut at ${end}`);
  }
  // Bodies have no checksum, headers have.
  let at = 0;
  for (const block of entries.flatMap(entryBytes)) {
    const damaged = bytes.slice();
    damaged[at + 3]! ^= 0xff;
    const isHeader = new TextDecoder().decode(block.subarray(257, 262)) === "ustar";
    if (isHeader) await assertRejects(() => list(damaged), Error, "EIO", `damage at ${at}`);
    at += block.length;
  }
});

Deno.test("readTar() takes numbers in GNU's binary form, and leaves invalid ones to the caller", async () => {
  const bytes = tarOf([{ name: "a" }, { name: "b" }]);
  bytes.set([0x80, 0, 0, 0, 0, 0, 1, 0xa4], FIELD.MODE[0]);
  bytes.set([0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe], FIELD.UID[0]);
  bytes.fill(0xff, FIELD.GID[0], FIELD.GID[0] + 8);
  bytes.fill(0x78, 512 + FIELD.UID[0], 512 + FIELD.UID[0] + 8);
  for (const at of [0, 512]) seal(bytes.subarray(at, at + 512));
  const said: unknown[] = [];
  for await (const { mode, uid, gid } of readTar(inPieces(bytes, 512))) said.push([mode, uid, gid]);
  assertEquals(said, [[0o644, 0xfffffffe, -1], [0o644, NaN, 0]]);
  bytes.fill(0x78, FIELD.MODE[0], FIELD.MODE[0] + 8);
  seal(bytes.subarray(0, 512));
  await assertRejects(() => list(bytes), Error, 'the header of "a" is damaged');
});

Deno.test("readTar() ends where the archive does, and says whether more follows", async () => {
  const bytes = tarOf([{ name: "a", body: "x" }]);
  const rows: [tail: number[], isTold: boolean][] = [
    [[], false],
    [[...new Uint8Array(10_000)], false],
    [[...tarOf([{ name: "b" }])], true],
    [[1], true],
    [[...new Uint8Array(5000), 1], true],
  ];
  for (const [tail, isTold] of rows) {
    for (const step of [100, 512, 20_000]) {
      let count = 0;
      const names: string[] = [];
      const whole = new Uint8Array([...bytes, ...tail]);
      for await (const { name } of readTar(inPieces(whole, step), () => void count++)) {
        names.push(name);
      }
      assertEquals([names, count], [["a"], isTold ? 1 : 0]);
    }
  }
});

Deno.test("readTar() refuses what it would misread", async () => {
  await assertRejects(() => list(tarOf([{ name: "m", type: "M" }])), Error, "ENOTSUP");
});
