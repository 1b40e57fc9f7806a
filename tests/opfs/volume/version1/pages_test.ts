/**
 * Small reads from anywhere on a device.
 */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { CachedPages, PAGES_MAX, readDevice1 } from "../../../../opfs/volume/version1/pages.ts";
import { assertErrno } from "../../../support/errno.ts";
import { Random } from "../../../support/random.ts";

const PAGE_BYTES = 64 * 1024;

Deno.test("CachedPages.copy() gives the device's bytes, across pages and past the end", () => {
  const seed = 7;
  const random = new Random(seed);
  const bytes = new Uint8Array(3 * PAGE_BYTES + 100).map(() => random.bits());
  const pages = new CachedPages(memoryHandle(bytes));
  const longer = new Uint8Array(6 * PAGE_BYTES);
  longer.set(bytes);
  for (let run = 0; run < 300; run++) {
    const at = random.below(5 * PAGE_BYTES);
    const into = new Uint8Array(random.below(PAGE_BYTES));
    pages.copy(at, into);
    assertEquals(into, longer.slice(at, at + into.length), `seed ${seed}, run ${run}`);
  }
});

Deno.test("CachedPages reads a page once, and forgets the oldest", () => {
  let reads = 0;
  const handle = memoryHandle(new Uint8Array((PAGES_MAX + 1) * PAGE_BYTES));
  const counting = Object.assign(Object.create(handle), {
    read(into: Uint8Array, options: { at: number }): number {
      reads++;
      return handle.read(into, options);
    },
    getSize: () => handle.getSize(),
  });
  const pages = new CachedPages(counting);
  const one = new Uint8Array(1);
  for (let page = 0; page < PAGES_MAX; page++) pages.copy(page * PAGE_BYTES, one);
  for (let page = 0; page < PAGES_MAX; page++) pages.copy(page * PAGE_BYTES, one);
  assertEquals(reads, PAGES_MAX);
  pages.copy(PAGES_MAX * PAGE_BYTES, one);
  pages.copy(0, one);
  assertEquals(reads, PAGES_MAX + 2);
});

Deno.test("readDevice1() answers EIO for whatever a device throws", () => {
  const broken = Object.assign(memoryHandle(), {
    read(): number {
      throw new TypeError("gone");
    },
  });
  assertErrno("EIO", () => readDevice1(broken, new Uint8Array(1), 0));
  assert(readDevice1(memoryHandle(new Uint8Array(3)), new Uint8Array(9), 1) === 2);
});
