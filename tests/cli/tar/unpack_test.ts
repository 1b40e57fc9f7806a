/** Bytes as they are, or out of gzip. */
import { assertEquals, assertRejects } from "@std/assert";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { packerOf, unpack } from "../../../cli/tar/unpack.ts";

async function all(chunks: Uint8Array[]): Promise<Uint8Array> {
  const out: number[] = [];
  for await (const piece of unpack(Readable.from(chunks))) out.push(...piece);
  return new Uint8Array(out);
}

Deno.test("unpack() lets plain bytes through and unpacks gzip, in as many members as there are", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(3000));
  assertEquals(await all([bytes]), bytes);
  assertEquals(await all([bytes.subarray(0, 2), bytes.subarray(2)]), bytes);
  const packed = new Uint8Array([
    ...gzipSync(bytes.subarray(0, 9)),
    ...gzipSync(bytes.subarray(9)),
  ]);
  assertEquals(await all([packed]), bytes);
  assertEquals(
    await all([packed.subarray(0, 1), packed.subarray(1, 4), packed.subarray(4)]),
    bytes,
  );
  assertEquals(await all([]), new Uint8Array(0));
});

Deno.test("unpack() fails for what is cut short, and for what others have packed", async () => {
  const packed = new Uint8Array(gzipSync(new Uint8Array(3000)));
  await assertRejects(() => all([packed.subarray(0, 20)]), Error, "unexpected end");
  const xz = new Uint8Array([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]);
  assertEquals(packerOf(xz), "xz");
  await assertRejects(() => all([xz]), Error, "xz -dc FILE");
});
