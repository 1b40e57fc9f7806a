import { assertEquals } from "@std/assert";
import { S_IFREG } from "../../../abi/mode.ts";
import { CACHE_PAGE_BYTES, PageCache } from "../../../opfs/cache/pages.ts";
import { ModelVolume } from "../../support/model_volume.ts";

const SIZE = CACHE_PAGE_BYTES * 3 + 100;

function rig(limitPages: number) {
  const volume = new ModelVolume();
  const ino = volume.create(volume.root, "f", { mode: S_IFREG, uid: 0, gid: 0 });
  const bytes = Uint8Array.from({ length: SIZE }, (_, index) => index * 3 + (index >> 9));
  volume.write(ino, bytes, 0);
  const pages = new PageCache(limitPages * CACHE_PAGE_BYTES);
  const reads = () => volume.calls.get("read") ?? 0;
  return { volume, ino, bytes, pages, reads };
}

Deno.test("PageCache.fill() fetches whole pages, read() finds them", () => {
  const { volume, ino, bytes, pages, reads } = rig(10);
  const into = new Uint8Array(200);
  assertEquals(pages.read(ino, into, 0), -1);
  assertEquals(pages.fill(volume, ino, into, CACHE_PAGE_BYTES - 100), 200);
  assertEquals(into, bytes.subarray(CACHE_PAGE_BYTES - 100, CACHE_PAGE_BYTES + 100));
  assertEquals([pages.read(ino, into, 5), reads(), pages.sizeBytes], [200, 2, 2 * 16_384]);
  assertEquals(pages.fill(volume, ino, into, SIZE - 50), 50);
  assertEquals(pages.read(ino, into, SIZE - 10), 10);
  assertEquals(pages.read(ino, into, SIZE + 10), 0);
  assertEquals(pages.read(ino, into, SIZE + CACHE_PAGE_BYTES), -1);
});

Deno.test("PageCache.forgetRange() forgets what a write changes, and the end with it", () => {
  const { volume, ino, pages } = rig(10);
  const into = new Uint8Array(10);
  for (const at of [0, CACHE_PAGE_BYTES]) pages.fill(volume, ino, into, at);
  pages.forgetRange(ino, CACHE_PAGE_BYTES - 1, CACHE_PAGE_BYTES);
  assertEquals([pages.read(ino, into, 0), pages.read(ino, into, CACHE_PAGE_BYTES)], [-1, 10]);
  pages.fill(volume, ino, into, SIZE - 5);
  pages.forgetRange(ino, SIZE * 2, SIZE * 2 + 1);
  assertEquals(pages.read(ino, into, CACHE_PAGE_BYTES), -1);
  assertEquals(pages.sizeBytes, 0);
});

Deno.test("PageCache.forgetEnd() forgets the end of a file only where it is known", () => {
  const { volume, ino, pages } = rig(2);
  const into = new Uint8Array(10);
  pages.fill(volume, ino, into, 0);
  pages.forgetEnd(ino);
  assertEquals(pages.read(ino, into, 0), 10);
  pages.fill(volume, ino, into, SIZE - 10);
  pages.forgetEnd(ino);
  assertEquals([pages.read(ino, into, 0), pages.sizeBytes], [-1, 0]);
  pages.fill(volume, ino, into, 0);
  pages.forgetRange(ino, 0, 1);
  for (const at of [0, 1, 2]) pages.fill(volume, ino, into, at * CACHE_PAGE_BYTES);
  assertEquals(pages.sizeBytes, 2 * CACHE_PAGE_BYTES);
});

Deno.test("PageCache keeps to its limit, and answers still", () => {
  const { volume, ino, bytes, pages } = rig(2);
  const into = new Uint8Array(SIZE);
  assertEquals(pages.fill(volume, ino, into, 0), SIZE);
  assertEquals([into, pages.sizeBytes], [bytes, 2 * CACHE_PAGE_BYTES]);
  pages.clear();
  assertEquals([pages.sizeBytes, pages.read(ino, into, 0)], [0, -1]);
  assertEquals(new PageCache(0).isUsed, false);
});
