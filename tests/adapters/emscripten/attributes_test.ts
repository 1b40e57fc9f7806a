/** Attributes between the module's shape and ours. */
import { assertEquals } from "@std/assert";
import { attrChange, hostAttr, hostStatFs } from "../../../adapters/emscripten/attributes.ts";
import { type Attr, S_IFDIR, S_IFREG } from "../../../mod.ts";

const ATTR: Attr = {
  ino: 7,
  mode: S_IFREG | 0o640,
  nlink: 2,
  uid: 1,
  gid: 2,
  rdev: 0,
  size: 5000,
  blocks: 16,
  atime: 1000.75,
  mtime: 2000.5,
  ctime: 3000.25,
};

Deno.test("hostAttr() has Dates, the module's numbers and blocks of 4096 bytes", () => {
  const attr = hostAttr(ATTR, { dev: 3, ino: 99 });
  assertEquals([attr.dev, attr.ino, attr.nlink, attr.size], [3, 99, 2, 5000]);
  assertEquals([attr.blksize, attr.blocks], [4096, 2]);
  const { atime, mtime, ctime } = attr;
  assertEquals([atime, mtime, ctime].map((time) => time.getTime()), [1000, 2000, 3000]);
});

Deno.test("hostAttr() shows a directory as one block", () => {
  const attr = hostAttr({ ...ATTR, mode: S_IFDIR | 0o755, size: 0, blocks: 0 }, { dev: 2, ino: 1 });
  assertEquals([attr.size, attr.blocks], [4096, 1]);
});

Deno.test("attrChange() keeps the file type and leaves null alone", () => {
  const how = { oldMode: S_IFREG | 0o600, hasOneTime: false };
  assertEquals(attrChange({ mode: 0o040755 }, how), { mode: S_IFREG | 0o755 });
  assertEquals(attrChange({ atime: null, mtime: 5 }, how), { mtime: 5 });
  assertEquals(attrChange({ size: 0 }, how), { size: 0 });
});

Deno.test("attrChange() takes a lone timestamp for utime only where there is one time", () => {
  const old = { oldMode: S_IFREG, hasOneTime: true };
  const newer = { oldMode: S_IFREG, hasOneTime: false };
  assertEquals(attrChange({ timestamp: 9 }, old), { atime: 9, mtime: 9 });
  assertEquals(attrChange({ timestamp: 9 }, newer), {});
  assertEquals(attrChange({ mode: 0o600, timestamp: 9 }, old), { mode: S_IFREG | 0o600 });
  assertEquals(attrChange({ size: 3, timestamp: 9 }, old), { size: 3 });
});

Deno.test("hostStatFs() gives the space of the volume", () => {
  const space = { blockSize: 4096, blocks: 100, freeBlocks: 40, inodes: 20, freeInodes: 5 };
  assertEquals(hostStatFs(space), {
    bsize: 4096,
    frsize: 4096,
    blocks: 100,
    bfree: 40,
    bavail: 40,
    files: 20,
    ffree: 5,
    namelen: 255,
  });
});
