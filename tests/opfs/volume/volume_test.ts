/** What a volume answers: structure, links, space, open files, times. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from "../../../abi/flags.ts";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { checkVolume } from "../../../opfs/volume/check.ts";
import { openVolumeSync, type VolumeOptions } from "../../../opfs/volume/mount.ts";
import type { Volume } from "../../../opfs/volume/volume.ts";
import { contentsOf } from "../../support/model_tree.ts";

const FILE = { mode: 0o100644, uid: 0, gid: 0 };
const DIRECTORY = { ...FILE, mode: 0o040755 };

/** Runs a test on a fresh volume, remounts it, runs the second part, and checks the image. */
function onVolume(
  first: (volume: Volume) => void,
  second: (volume: Volume) => void = () => {},
  options: VolumeOptions = {},
): void {
  const handle = memoryHandle();
  let volume = openVolumeSync(handle, options);
  first(volume);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
  volume = openVolumeSync(handle, options);
  assertEquals(volume.report.corrected, []);
  second(volume);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
}

const fails = (code: string, act: () => unknown) =>
  assertThrows(() => void act(), ErrnoError, code);

Deno.test("Volume.create() refuses what is no name", () => {
  onVolume((volume) => {
    const make = (name: string) => volume.create(volume.root, name, FILE);
    for (const name of ["", ".", "..", "a/b", "a\0b"]) fails("EINVAL", () => make(name));
    fails("ENAMETOOLONG", () => make("x".repeat(256)));
    fails("ENAMETOOLONG", () => make("é".repeat(128)));
    fails("EILSEQ", () => make("\ud800"));
    fails("EILSEQ", () => make("a\udc00b"));
    for (const name of ["x".repeat(255), "文".repeat(85), "__proto__", "10", "𝄞"]) make(name);
    fails("EEXIST", () => make("10"));
  }, (volume) => assertEquals(volume.readdir(volume.root, 0).length, 5));
});

Deno.test("Volume.create() refuses numbers that are none", () => {
  onVolume((volume) => {
    for (
      const bad of [{ mode: 0o644 }, { mode: -1 }, { uid: 1.5 }, { gid: 2 ** 32 }, { rdev: -1 }]
    ) {
      fails("EINVAL", () => volume.create(volume.root, "a", { ...FILE, ...bad }));
    }
  });
});

Deno.test("Volume.link() gives second names, and the first one can go", () => {
  onVolume((volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    volume.write(ino, new Uint8Array([1, 2, 3]), 0);
    volume.link(ino, volume.root, "b");
    volume.link(ino, volume.root, "c");
    volume.unlink(volume.root, "a");
    assertEquals(volume.getattr(ino).nlink, 2);
    assertEquals(volume.lookup(volume.root, "c"), ino);
    volume.unlink(volume.root, "c");
    volume.rename(volume.root, "b", volume.root, "d", 0);
  }, (volume) => {
    const ino = volume.lookup(volume.root, "d");
    assertEquals(contentsOf(volume, ino), new Uint8Array([1, 2, 3]));
    assertEquals(volume.getattr(ino).nlink, 1);
    assertEquals(volume.readdir(volume.root, 0).length, 1);
  });
});

Deno.test("Volume.link() stops at 65,535 names", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  for (let index = 1; index < 65535; index++) volume.link(ino, volume.root, `l${index}`);
  fails("EMLINK", () => volume.link(ino, volume.root, "more"));
  assertEquals(volume.getattr(ino).nlink, 65535);
  volume.unlink(volume.root, "a");
  volume.link(ino, volume.root, "more");
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});

Deno.test("Volume.link() refuses directories and removed files", () => {
  onVolume((volume) => {
    const directory = volume.create(volume.root, "d", DIRECTORY);
    fails("EPERM", () => volume.link(directory, volume.root, "e"));
    const ino = volume.create(volume.root, "a", FILE);
    volume.retain(ino);
    volume.unlink(volume.root, "a");
    fails("ENOENT", () => volume.link(ino, volume.root, "b"));
    volume.release(ino);
    fails("ESTALE", () => volume.link(ino, volume.root, "b"));
  });
});

Deno.test("Volume keeps a removed file that is retained, and gives its blocks back after", () => {
  onVolume((volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    volume.write(ino, new Uint8Array(100_000).fill(1), 0);
    volume.sync();
    const before = volume.statfs().freeBlocks;
    volume.retain(ino);
    volume.retain(ino);
    volume.unlink(volume.root, "a");
    assertEquals(volume.getattr(ino).nlink, 0);
    for (let index = 20; index > 0; index--) volume.write(ino, new Uint8Array([7]), index * 50_000);
    volume.create(volume.root, "a", FILE);
    volume.sync();
    assertEquals(contentsOf(volume, ino)[50_000], 7);
    volume.release(ino);
    assertEquals(contentsOf(volume, ino)[99_999], 1);
    volume.release(ino);
    fails("ESTALE", () => volume.getattr(ino));
    volume.sync();
    assert(volume.statfs().freeBlocks >= before + 25);
  });
});

Deno.test("Volume forgets a removed file that is still retained when it is closed or crashes", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(300_000), 0);
  volume.write(ino, new Uint8Array(1), 900_000);
  volume.retain(ino);
  volume.unlink(volume.root, "a");
  volume.append(ino, new Uint8Array(200_000));
  volume.sync();
  const crashed = memoryHandle(handle.toBytes());
  volume.close();
  for (const device of [handle, crashed]) {
    const again = openVolumeSync(device);
    assertEquals(again.report.corrected, []);
    assertEquals(again.statfs().freeBlocks, again.statfs().blocks);
    again.close();
    assertEquals(checkVolume(device).violations, []);
  }
});

Deno.test("Volume makes nothing in a removed directory", () => {
  onVolume((volume) => {
    const directory = volume.create(volume.root, "d", DIRECTORY);
    volume.retain(directory);
    volume.rmdir(volume.root, "d");
    fails("ENOENT", () => volume.create(directory, "a", FILE));
    assertEquals(volume.readdir(directory, 0), []);
    volume.release(directory);
    fails("ESTALE", () => volume.readdir(directory, 0));
  });
});

Deno.test("Volume.rename() moves no directory into itself", () => {
  onVolume((volume) => {
    const a = volume.create(volume.root, "a", DIRECTORY);
    const b = volume.create(a, "b", DIRECTORY);
    fails("EINVAL", () => volume.rename(volume.root, "a", b, "c", 0));
    fails("EINVAL", () => volume.rename(volume.root, "a", a, "b", 0));
    fails("ENOTEMPTY", () => volume.rename(a, "b", volume.root, "a", 0));
  });
});

Deno.test("Volume.rename() replaces, exchanges and refuses", () => {
  onVolume((volume) => {
    const { root } = volume;
    const a = volume.create(root, "a", DIRECTORY);
    const b = volume.create(root, "b", DIRECTORY);
    const file = volume.create(root, "file", FILE);
    const other = volume.create(b, "other", FILE);
    fails("ENOENT", () => volume.rename(root, "nobody", root, "x", 0));
    fails("ENOTDIR", () => volume.rename(root, "a", root, "file", 0));
    fails("EISDIR", () => volume.rename(root, "file", root, "a", 0));
    fails("ENOTEMPTY", () => volume.rename(root, "a", root, "b", 0));
    fails("EEXIST", () => volume.rename(root, "file", root, "a", RENAME_NOREPLACE));
    fails("ENOENT", () => volume.rename(root, "file", root, "x", RENAME_EXCHANGE));
    fails("EINVAL", () => volume.rename(root, "file", root, "x", 3));
    fails("EINVAL", () => volume.rename(root, "file", root, "x", 4));
    fails("EINVAL", () => volume.rename(b, "other", root, "b", RENAME_EXCHANGE));
    volume.rename(root, "file", b, "other", RENAME_EXCHANGE);
    assertEquals([volume.lookup(b, "other"), volume.lookup(root, "file")], [file, other]);
    volume.rename(root, "a", b, "other", RENAME_EXCHANGE);
    assertEquals([volume.getattr(root).nlink, volume.getattr(b).nlink], [3, 3]);
    volume.rename(b, "other", root, "moved", 0);
    assertEquals([volume.getattr(root).nlink, volume.getattr(b).nlink], [4, 2]);
    volume.rename(root, "moved", root, "b", 0);
    assertEquals(volume.lookup(root, "b"), a);
    fails("ESTALE", () => volume.getattr(b));
    volume.link(file, root, "again");
    volume.rename(root, "again", root, "a", 0);
    assertEquals(volume.getattr(file).nlink, 2);
    volume.rename(root, "a", root, "a", 0);
  }, (volume) => {
    assertEquals(volume.readdir(volume.root, 0).map(({ name }) => name).sort(), [
      "a",
      "again",
      "b",
      "file",
    ]);
  });
});

Deno.test("Volume.setattr() changes sizes, and zeros what is made longer again", () => {
  onVolume((volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    volume.write(ino, new Uint8Array(10_000).fill(1), 0);
    for (const size of [-5, 3.5, NaN, Infinity]) {
      fails("EINVAL", () => volume.setattr(ino, { size }));
    }
    fails("EFBIG", () => volume.setattr(ino, { size: 2 ** 53 }));
    volume.setattr(ino, { size: 100 });
    volume.setattr(ino, { size: 9000 });
    volume.write(ino, new Uint8Array([9]), 20_000);
    fails("EISDIR", () => volume.setattr(volume.root, { size: 0 }));
  }, (volume) => {
    const bytes = contentsOf(volume, volume.lookup(volume.root, "a"));
    const expected = new Uint8Array(20_001);
    expected.fill(1, 0, 100);
    expected[20_000] = 9;
    assertEquals(bytes, expected);
  });
});

Deno.test("Volume has holes that own nothing and read as zeros", () => {
  onVolume((volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    const far = (2 ** 31 - 2) * 4096;
    volume.write(ino, new Uint8Array([1, 2]), far);
    assertEquals(volume.getattr(ino).blocks, 8);
    fails("EFBIG", () => volume.write(ino, new Uint8Array(1), far + 4096));
    assertEquals(volume.write(ino, new Uint8Array(10), far + 4092), 4);
    volume.setattr(ino, { size: Number.MAX_SAFE_INTEGER });
    const bytes = new Uint8Array(9).fill(5);
    assertEquals(volume.read(ino, bytes, 2 ** 52), 9);
    assertEquals(bytes, new Uint8Array(9));
    assertEquals(volume.read(ino, bytes, Number.MAX_SAFE_INTEGER - 3), 3);
  }, (volume) => {
    const bytes = new Uint8Array(3);
    volume.read(volume.lookup(volume.root, "a"), bytes, (2 ** 31 - 2) * 4096);
    assertEquals(bytes, new Uint8Array([1, 2, 0]));
  });
});

Deno.test("Volume keeps thousands of runs of one file", () => {
  onVolume((volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    for (let index = 0; index < 3000; index++) {
      const at = index * 7919 % 3000 * 2 * 512;
      volume.write(ino, new Uint8Array(512).fill(1 + index % 255), at);
    }
    assertEquals(volume.getattr(ino).blocks, 3000);
    volume.sync();
    volume.setattr(ino, { size: 2_000_000 });
  }, (volume) => {
    const ino = volume.lookup(volume.root, "a");
    const bytes = contentsOf(volume, ino);
    for (let index = 0; index < 3000; index++) {
      const at = index * 7919 % 3000 * 2 * 512;
      if (at < 2_000_000) assertEquals(bytes[at], 1 + index % 255);
    }
    volume.unlink(volume.root, "a");
    volume.sync();
    const tables = 8 * 2 * 1024 * 64 / 512;
    assert(volume.statfs().freeBlocks >= volume.statfs().blocks - tables);
  }, { blockSize: 512 });
});

Deno.test("Volume.readdir() goes on from a cursor while the directory changes", () => {
  onVolume((volume) => {
    for (let index = 0; index < 1500; index++) volume.create(volume.root, `f${index}`, FILE);
    const seen: string[] = [];
    for (let after = 0;;) {
      const entries = volume.readdir(volume.root, after);
      if (entries.length === 0) break;
      for (const { name } of entries) {
        seen.push(name);
        if (seen.length % 2 === 0) volume.unlink(volume.root, name);
      }
      volume.create(volume.root, `new${seen.length}`, FILE);
      after = entries.at(-1)!.cursor;
    }
    const old = seen.filter((name) => name.startsWith("f"));
    assertEquals([old.length, new Set(old).size], [1500, 1500]);
  });
});

Deno.test("Volume keeps times and moves those that POSIX says", () => {
  let now = 1000.5;
  onVolume((volume) => {
    const { root } = volume;
    const ino = volume.create(root, "a", FILE);
    const times = () => {
      const { atime, mtime, ctime } = volume.getattr(ino);
      return [atime, mtime, ctime];
    };
    assertEquals(times(), [1000.5, 1000.5, 1000.5]);
    now = 2000;
    volume.write(ino, new Uint8Array(1), 0);
    assertEquals(times(), [1000.5, 2000, 2000]);
    now = 3000;
    volume.read(ino, new Uint8Array(1), 0);
    assertEquals(times(), [3000, 2000, 2000]);
    now = 4000;
    volume.read(ino, new Uint8Array(1), 0);
    assertEquals(times(), [3000, 2000, 2000]);
    volume.setattr(ino, { mode: 0o600 });
    assertEquals(times(), [3000, 2000, 4000]);
    now = 5000;
    volume.setattr(ino, { atime: 1.25, mtime: -7.5 });
    assertEquals(times(), [1.25, -7.5, 5000]);
    assertEquals(volume.getattr(root).mtime, 1000.5);
    volume.link(ino, root, "b");
    assertEquals([volume.getattr(root).mtime, volume.getattr(root).ctime], [5000, 5000]);
    fails("EINVAL", () => volume.setattr(ino, { mtime: NaN }));
  }, (volume) => {
    assertEquals(volume.getattr(volume.lookup(volume.root, "b")).atime, 1.25);
  }, { clock: () => now });
});

Deno.test("Volume refuses changes for reading only", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array([1]), 0);
  volume.close();
  const before = handle.toBytes();
  const reading = openVolumeSync(handle, { readOnly: true });
  fails("EROFS", () => reading.create(reading.root, "b", FILE));
  fails("EROFS", () => reading.write(ino, new Uint8Array(1), 0));
  fails("EROFS", () => reading.unlink(reading.root, "a"));
  assertEquals(contentsOf(reading, ino), new Uint8Array([1]));
  reading.sync();
  reading.close();
  assertEquals(handle.toBytes(), before);
});

Deno.test("Volume answers EBADF after close", () => {
  const volume = openVolumeSync(memoryHandle());
  volume.close();
  volume.close();
  fails("EBADF", () => volume.getattr(volume.root));
  fails("EBADF", () => volume.create(volume.root, "a", FILE));
  fails("EBADF", () => volume.sync());
});

Deno.test("Volume gives the free end of its file back when it is closed", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(8 << 20), 0);
  volume.sync();
  const large = handle.getSize();
  volume.unlink(volume.root, "a");
  volume.close();
  assert(handle.getSize() < large / 4, `${handle.getSize()} of ${large}`);
  assertEquals(checkVolume(handle).violations, []);
  const again = openVolumeSync(handle);
  const next = again.create(again.root, "b", FILE);
  again.write(next, new Uint8Array(1 << 20).fill(3), 0);
  again.close();
  assertEquals(checkVolume(handle).violations, []);
});

Deno.test("a fresh volume is under 1 MB", () => {
  const handle = memoryHandle();
  openVolumeSync(handle).close();
  assert(handle.getSize() < 1e6, `${handle.getSize()} bytes`);
});
