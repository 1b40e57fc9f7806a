/** Extended attributes: what is kept, where, what goes with the inode, what is refused. */
import { assert, assertEquals } from "@std/assert";
import { XATTR_CREATE, XATTR_REPLACE } from "../../../../abi/flags.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { newestHeader } from "../../../../opfs/volume/format/header.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { encodeAttributeName } from "../../../../opfs/volume/files/xattr.ts";
import { LimitedHandle } from "../../../support/limited_handle.ts";
import { DIRECTORY, fails, FILE, onVolume } from "../../../support/on_volume.ts";
import { prng } from "../../../support/prng.ts";

const bytes = (length: number, value = 1): Uint8Array => new Uint8Array(length).fill(value);

Deno.test("Volume keeps attributes of every kind of inode over a remount", () => {
  const sizes = [0, 1, 200, 262, 263, 300, 4096, 4097, 65_536];
  onVolume((volume) => {
    const { root } = volume;
    const kinds = [
      root,
      volume.create(root, "file", FILE),
      volume.create(root, "directory", DIRECTORY),
      volume.create(root, "link", { ...FILE, mode: 0o120777, target: "file" }),
      volume.create(root, "fifo", { ...FILE, mode: 0o010644 }),
    ];
    for (const ino of kinds) {
      for (const size of sizes) volume.setxattr(ino, `user.${size}`, bytes(size, size & 255), 0);
    }
    volume.setxattr(kinds[1]!, `user.${"x".repeat(250)}`, bytes(300), 0);
    volume.setxattr(kinds[1]!, "user.Grüße/文", bytes(3), 0);
    volume.link(kinds[1]!, root, "second");
    volume.unlink(root, "file");
  }, (volume) => {
    const { root } = volume;
    const names = sizes.map((size) => `user.${size}`).sort();
    for (const name of ["", "second", "directory", "link", "fifo"]) {
      const ino = name === "" ? root : volume.lookup(root, name);
      const listed = volume.listxattr(ino).sort();
      assertEquals(listed.filter((one) => names.includes(one)), names, name);
      for (const size of sizes) {
        assertEquals(volume.getxattr(ino, `user.${size}`), bytes(size, size & 255), name);
      }
    }
    const ino = volume.lookup(root, "second");
    assertEquals(volume.getxattr(ino, "user.Grüße/文"), bytes(3));
    assertEquals(volume.getxattr(ino, `user.${"x".repeat(250)}`), bytes(300));
    assertEquals(volume.listxattr(ino).length, sizes.length + 2);
    assertEquals(volume.getxattr(ino, "user.none"), null);
  });
});

Deno.test("Volume.setxattr() replaces, in an entry and in blocks, and gives back what it had", () => {
  onVolume((volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    volume.sync();
    const before = volume.stats();
    for (const size of [10, 300, 60_000, 5, 65_536, 0, 268 - 6, 269 - 6]) {
      volume.setxattr(ino, "user.a", bytes(size, 9), 0);
      assertEquals(volume.getxattr(ino, "user.a"), bytes(size, 9));
    }
    assertEquals([volume.removexattr(ino, "user.a"), volume.removexattr(ino, "user.a")], [
      true,
      false,
    ]);
    volume.sync();
    const { freeSlots, nameBytes, freeBlocks } = volume.stats();
    assertEquals([freeSlots, nameBytes], [before.freeSlots, before.nameBytes]);
    assert(freeBlocks >= before.freeBlocks);
  }, (volume) => assertEquals(volume.listxattr(volume.lookup(volume.root, "a")), []));
});

Deno.test("Volume.setxattr() heeds its flags and its limits", () => {
  onVolume((volume) => {
    const ino = volume.create(volume.root, "a", FILE);
    const set = (name: string, size: number, flags = 0) =>
      volume.setxattr(ino, name, bytes(size), flags);
    fails("ENODATA", () => set("user.a", 1, XATTR_REPLACE));
    set("user.a", 1, XATTR_CREATE);
    fails("EEXIST", () => set("user.a", 1, XATTR_CREATE));
    set("user.a", 2, XATTR_REPLACE);
    fails("EINVAL", () => set("user.a", 1, 3));
    fails("E2BIG", () => set("user.a", 65_537));
    for (const name of ["", "x".repeat(256), "é".repeat(128)]) fails("ERANGE", () => set(name, 1));
    fails("EILSEQ", () => set("\ud800", 1));
    fails("EINVAL", () => set("user.\0", 1));
    fails("ERANGE", () => volume.getxattr(ino, ""));
    assertEquals(volume.listxattr(ino), ["user.a"]);
    for (let index = 0; index < 255; index++) set(`${index}`.padStart(255, "n"), 0);
    fails("ENOSPC", () => set("z".repeat(255), 0));
    set("0".padStart(255, "n"), 5);
  }, (volume) => {
    const ino = volume.lookup(volume.root, "a");
    assertEquals(volume.listxattr(ino).length, 256);
    assertEquals(volume.getxattr(ino, "user.a"), bytes(2));
    volume.unlink(volume.root, "a");
    const { names, nameBytes } = volume.stats();
    assertEquals([names, nameBytes], [0, 0]);
  });
});

Deno.test("Volume moves ctime with an attribute, and nothing else", () => {
  let now = 1000;
  const volume = openVolumeSync(memoryHandle(), { clock: () => now });
  const ino = volume.create(volume.root, "a", FILE);
  for (
    const act of [() => volume.setxattr(ino, "a", bytes(1), 0), () => volume.removexattr(ino, "a")]
  ) {
    now += 10;
    act();
    const { ctime, mtime, atime } = volume.getattr(ino);
    assertEquals([ctime, mtime, atime], [now, 1000, 1000]);
  }
  volume.close();
});

Deno.test("Volume removes attributes with their inode, when it is not held any more", () => {
  onVolume((volume) => {
    const { root } = volume;
    volume.sync();
    const before = volume.stats();
    for (const name of ["file", "directory"]) {
      const ino = volume.create(root, name, name === "file" ? FILE : DIRECTORY);
      for (let index = 0; index < 200; index++) {
        volume.setxattr(ino, `user.${index}`, bytes(index % 9 * 100), 0);
      }
      volume.sync();
      volume.retain(ino);
      if (name === "file") volume.unlink(root, name);
      else volume.rmdir(root, name);
      volume.setxattr(ino, "user.0", bytes(900, 5), 0);
      volume.setxattr(ino, "user.more", bytes(900, 5), 0);
      assertEquals(volume.getxattr(ino, "user.more"), bytes(900, 5));
      volume.release(ino);
    }
    volume.sync();
    const { nameBytes, names } = volume.stats();
    assertEquals([nameBytes, names], [before.nameBytes, before.names]);
    for (let index = 0; index < 600; index++) volume.create(root, `f${index}`, FILE);
  }, (volume) => {
    assertEquals([volume.stats().names, volume.stats().freeBlocks], [600, volume.stats().blocks]);
  });
});

Deno.test("Volume puts a long value into the pieces that a full device has left", () => {
  const device = memoryHandle();
  const volume = openVolumeSync(new LimitedHandle(device, 2 ** 21), { blockSize: 512 });
  const inos: number[] = [];
  try {
    for (;;) {
      const ino = volume.create(volume.root, `f${inos.length}`, FILE);
      inos.push(ino);
      volume.write(ino, bytes(3000), 0);
    }
  } catch { /* Full. */ }
  for (let index = 0; index < 20; index++) volume.unlink(volume.root, `f${index * 2}`);
  volume.sync();
  const free = volume.stats().freeBlocks;
  const ino = inos.at(-1)!;
  volume.setxattr(ino, "user.fits", bytes(5 * 3000), 0);
  fails("ENOSPC", () => volume.setxattr(ino, "user.pieces", bytes(10 * 3000), 0));
  assertEquals(volume.listxattr(ino), ["user.fits"]);
  assert(free > volume.stats().freeBlocks);
  volume.close();
  assertEquals(checkVolume(device).violations, []);
});

Deno.test("Volume makes its file longer for a value that the free pieces are too small for", () => {
  onVolume((volume) => {
    for (let index = 0; index < 200; index++) {
      volume.write(volume.create(volume.root, `f${index}`, FILE), bytes(512), 0);
    }
    volume.sync();
    for (let index = 0; index < 200; index += 2) volume.unlink(volume.root, `f${index}`);
    volume.sync();
    const ino = volume.lookup(volume.root, "f1");
    for (let index = 0; index < 4; index++) {
      volume.setxattr(ino, `user.${index}`, bytes(60_000, index), 0);
    }
  }, (volume) => {
    const ino = volume.lookup(volume.root, "f1");
    for (let index = 0; index < 4; index++) {
      assertEquals(volume.getxattr(ino, `user.${index}`), bytes(60_000, index));
    }
  }, { blockSize: 512 });
});

Deno.test("a volume with attributes says so to writers that do not know them", () => {
  const handle = memoryHandle();
  const features = () => newestHeader(handle.toBytes()).featuresReadOnly;
  let volume = openVolumeSync(handle);
  volume.close();
  assertEquals(features(), 0);
  volume = openVolumeSync(handle);
  volume.setxattr(volume.root, "user.a", bytes(1), 0);
  volume.close();
  assertEquals([features(), checkVolume(handle).attributes], [L.FEATURE_XATTR, 1]);
  volume = openVolumeSync(handle);
  volume.removexattr(volume.root, "user.a");
  volume.close();
  assertEquals(features(), 0);
});

Deno.test("encodeAttributeName() gives the bytes of a name", () => {
  assertEquals(encodeAttributeName("é", "set"), new Uint8Array([0xc3, 0xa9]));
  assertEquals(encodeAttributeName("a.", "find"), new Uint8Array([0x61, 0x2e]));
  for (const use of ["find", "set"] as const) {
    fails("ERANGE", () => encodeAttributeName("", use));
    fails("EINVAL", () => encodeAttributeName("\0.", use));
  }
  fails("EINVAL", () => encodeAttributeName("a.", "set"));
});

Deno.test("Volume agrees with maps under random attributes", () => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = prng(seed);
    const handle = memoryHandle();
    const options = { blockSize: seed % 2 ? 4096 : 512, ringBytes: 128 * 1024 };
    let volume = openVolumeSync(handle, options);
    const model = new Map<string, Map<string, Uint8Array | null>>();
    for (let step = 1; step <= 400; step++) {
      const name = `f${random.below(6)}`;
      const known = model.get(name);
      const key = `user.${"k".repeat(1 + random.below(random.pick([3, 200])))}`;
      if (known === undefined) {
        volume.create(volume.root, name, FILE);
        model.set(name, new Map());
      } else if (random.below(30) === 0) {
        volume.unlink(volume.root, name);
        model.delete(name);
      } else if (random.below(4) === 0) {
        const ino = volume.lookup(volume.root, name);
        assertEquals(volume.removexattr(ino, key), known.delete(key));
      } else {
        const value = new Uint8Array(random.below(random.pick([10, 300, 70_000])) % 65_537);
        random.fill(value);
        volume.setxattr(volume.lookup(volume.root, name), key, value, 0);
        known.set(key, value);
      }
      if (step % 50 !== 0) continue;
      volume.close();
      assertEquals(checkVolume(handle).violations, []);
      volume = openVolumeSync(handle, options);
      for (const [file, attributes] of model) {
        const ino = volume.lookup(volume.root, file);
        const shown = volume.listxattr(ino).map((one) => [one, volume.getxattr(ino, one)] as const);
        assertEquals(
          new Map<string, Uint8Array | null>(shown),
          attributes,
          `seed ${seed}, step ${step}`,
        );
      }
    }
    volume.close();
  }
});
