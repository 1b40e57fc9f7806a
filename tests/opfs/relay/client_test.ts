import { assert, assertEquals, assertThrows } from "@std/assert";
import { S_IFDIR, S_IFLNK, S_IFREG } from "../../../abi/mode.ts";
import { countMemory } from "../../support/count_memory.ts";
import { type Rig, startRig } from "../../support/relay_rig.ts";

const file = { mode: S_IFREG | 0o644, uid: 1, gid: 2 };
const dir = { mode: S_IFDIR | 0o755, uid: 0, gid: 0 };

function rigTest(name: string, run: (rig: Rig) => Promise<void>): void {
  Deno.test(name, async () => {
    const rig = await startRig({ deadlineMs: 300 });
    try {
      await run(rig);
    } finally {
      await rig.stop();
    }
  });
}

rigTest("RelayClient answers every call of VolumeOps like the volume itself", async (rig) => {
  const client = await rig.client();
  const { root } = client;
  const home = client.create(root, "home", dir);
  const f = client.create(home, "ü 文.txt", file);
  assertEquals(client.lookup(home, "ü 文.txt"), f);
  assertEquals(client.lookup(home, "nothing"), 0);
  assertEquals(client.write(f, new TextEncoder().encode("kept"), 2), 4);
  assertEquals(client.append(f, Uint8Array.of(33)), { at: 6, count: 1 });
  const into = new Uint8Array(10);
  assertEquals(client.read(f, into, 0), 7);
  assertEquals(new TextDecoder().decode(into), "\0\0kept!\0\0\0");
  client.link(f, root, "second");
  client.setattr(f, { mode: 0o600, uid: 70_000, gid: 4_294_967_295, atime: 1.5, mtime: -2.25 });
  const { ctime: _c, ino: _i, blocks: _b, ...attr } = client.getattr(f);
  assertEquals(attr, {
    mode: S_IFREG | 0o600,
    nlink: 2,
    uid: 70_000,
    gid: 4_294_967_295,
    rdev: 0,
    size: 7,
    atime: 1.5,
    mtime: -2.25,
  });
  const l = client.create(root, "l", { ...file, mode: S_IFLNK | 0o777, target: "home/ü" });
  assertEquals(client.readlink(l), "home/ü");
  const names = client.readdir(root, 0);
  assertEquals(names.map((entry) => [entry.name, entry.ino]), [
    ["home", home],
    ["second", f],
    ["l", l],
  ]);
  assertEquals(client.readdir(root, names[1]!.cursor).map((entry) => entry.name), ["l"]);
  client.rename(root, "second", home, "third", 0);
  client.retain(f);
  client.unlink(home, "third");
  client.unlink(home, "ü 文.txt");
  client.setattr(f, { size: 3 });
  assertEquals(client.getattr(f).size, 3);
  client.release(f);
  assertThrows(() => client.getattr(f), Error, "ESTALE: cannot find inode");
  client.rmdir(root, "home");
  client.fsync(l);
  client.sync();
  assertEquals(client.statfs().blockSize, 4096);
  assertEquals(client.generation, 10);
  client.close();
  assertThrows(() => client.statfs(), Error, "EBADF");
});

rigTest("RelayClient makes files without names, owns ranges and finds holes", async (rig) => {
  const client = await rig.client();
  const { root } = client;
  const ino = client.tmpfile(root, file);
  client.allocate(ino, 0, 100, 20_000);
  assertEquals([client.getattr(ino).size, client.getattr(ino).blocks], [20_100, 40]);
  client.write(ino, Uint8Array.of(1), 9000);
  assertEquals([client.seek(ino, 0, 3), client.seek(ino, 9000, 4)], [8192, 12_288]);
  assertThrows(() => client.seek(ino, 12_288, 3), Error, "ENXIO");
  client.allocate(ino, 3, 0, 20_000);
  assertEquals(client.getattr(ino).blocks, 8);
  assertThrows(() => client.allocate(ino, -1, 0, 1), Error, "ENOTSUP");
  client.link(ino, root, "named");
  client.release(ino);
  assertEquals(client.lookup(root, "named"), ino);
  const never = client.tmpfile(root, { ...file, isLinkable: false });
  assertThrows(() => client.link(never, root, "second"), Error, "ENOENT");
  client.release(never);
  assertThrows(() => client.getattr(never), Error, "ESTALE");
  client.tmpfile(root, file);
  const { inodes } = await rig.state();
  client.close();
  while ((await rig.state()).inodes === inodes) await new Promise((done) => setTimeout(done, 1));
});

for (const areaBytes of [16_384, 262_144]) {
  rigTest(`RelayClient keeps attributes over an area of ${areaBytes} bytes`, async (rig) => {
    const client = await rig.client({ areaBytes });
    const ino = client.create(client.root, "f", file);
    assertEquals(client.getxattr(ino, "user.none"), null);
    assertEquals(client.listxattr(ino), []);
    for (const size of [0, 1, 16_300, 16_384, 50_000, 65_536]) {
      const value = Uint8Array.from({ length: size }, (_, index) => (index * 7 + size) % 251);
      client.setxattr(ino, `user.ü${size}`, value, 1);
      assertEquals(client.getxattr(ino, `user.ü${size}`), value);
    }
    assertThrows(() => client.setxattr(ino, "user.ü0", new Uint8Array(0), 1), Error, "EEXIST");
    assertThrows(
      () => client.setxattr(ino, "user.ü0", new Uint8Array(65_537), 0),
      Error,
      "E2BIG",
    );
    const long = Array.from({ length: 200 }, (_, index) => `${index}`.padStart(250, "n"));
    for (const name of long) client.setxattr(ino, name, Uint8Array.of(1), 0);
    assertEquals(client.listxattr(ino).slice(-200), long);
    assertEquals([client.removexattr(ino, "user.ü0"), client.removexattr(ino, "user.ü0")], [
      true,
      false,
    ]);
    assertEquals(client.listxattr(ino).length, 205);
    assertThrows(
      () => client.setxattr(ino, "user.new", new Uint8Array(60_000), 2),
      Error,
      "ENODATA",
    );
    assertThrows(() => client.getxattr(ino, ""), Error, "ERANGE");
    assertEquals(client.getattr(ino).size, 0);
  });
}

rigTest("RelayClient hands errors on with code, number and text", async (rig) => {
  const client = await rig.client();
  const error = assertThrows(() => client.unlink(client.root, "gone")) as Error & {
    code: string;
    errno: number;
  };
  assertEquals([error.name, error.code, error.errno], ["ErrnoError", "ENOENT", 44]);
  assertEquals(error.message, 'ENOENT: cannot find "gone"');
  assertThrows(() => client.lookup(client.root, "\udc00"), Error, "EILSEQ");
  assertThrows(() => client.lookup(client.root, "x".repeat(300)), Error, "ENAMETOOLONG");
  // A name fills the area, or leaves no room for what follows it.
  for (const length of [15_000, 16_240, 16_367, 16_368, 16_369, 16_384, 20_000]) {
    const name = "x".repeat(length);
    assertThrows(() => client.lookup(client.root, name), Error, "ENAMETOOLONG");
    assertThrows(() => client.create(client.root, name, file), Error, "ENAMETOOLONG");
    const move = () => client.rename(client.root, name, client.root, "b", 0);
    assertThrows(move, Error, "ENAMETOOLONG");
    const target = { ...file, mode: S_IFLNK | 0o777, target: name };
    assertThrows(() => client.create(client.root, "l", target), Error, "ENAMETOOLONG");
  }
  assertThrows(() => client.release(client.root), Error, "EINVAL");
  assertEquals(client.lookup(client.root, "still"), 0);
});

rigTest("RelayClient moves payloads of every size around the area's", async (rig) => {
  const client = await rig.client({ areaBytes: 16_384 });
  const f = client.create(client.root, "f", file);
  for (const size of [0, 1, 16_352, 16_383, 16_384, 16_385, 49_152, 1_000_003]) {
    const bytes = Uint8Array.from({ length: size }, (_, index) => (index * 7 + size) % 251);
    client.setattr(f, { size: 0 });
    assertEquals(client.write(f, bytes, 5), size);
    const into = new Uint8Array(size + 10);
    assertEquals(client.read(f, into, 5), size);
    assertEquals(into.subarray(0, size), bytes);
    assertEquals(client.append(f, bytes), { at: size === 0 ? 0 : size + 5, count: size });
    assertEquals(client.read(f, into, size + 5), size);
    assertEquals(into.subarray(0, size), bytes);
  }
});

rigTest("RelayClient reads long directories and counts its calls", async (rig) => {
  const client = await rig.client({ areaBytes: 16_384 });
  const names = Array.from({ length: 250 }, (_, index) => `${index}-${"n".repeat(200)}`);
  for (const name of names) client.create(client.root, name, file);
  const seen: string[] = [];
  for (let after = 0;;) {
    const entries = client.readdir(client.root, after);
    if (entries.length === 0) break;
    seen.push(...entries.map((entry) => entry.name));
    after = entries.at(-1)!.cursor;
  }
  assertEquals(seen, names);
  const { CREATE, READDIR } = client.counters.snapshot();
  assertEquals(CREATE?.count, 250);
  assert(READDIR!.count > 4 && CREATE!.timeMs >= CREATE!.waitMs);
});

rigTest(
  "RelayClient and the relay copy a payload once and allocate nothing for it",
  async (rig) => {
    const client = await rig.client({ areaBytes: 262_144 });
    const f = client.create(client.root, "f", file);
    const measure = async (sizeBytes: number) => {
      const bytes = new Uint8Array(sizeBytes).fill(7);
      const into = new Uint8Array(sizeBytes);
      client.write(f, bytes, 0);
      const counts = [];
      for (const call of [() => client.write(f, bytes, 0), () => client.read(f, into, 0)]) {
        let ours = { copiedBytes: 0, filledBytes: 0, allocatedBytes: 0 };
        const theirs = await rig.counting(() => {
          const counting = countMemory();
          call();
          ours = counting.stop();
        });
        counts.push({ ours, theirs });
      }
      assertEquals(into, bytes);
      return counts;
    };
    const small = await measure(4096);
    const large = await measure(1_048_576);
    for (const [counts, sizeBytes] of [[small, 4096], [large, 1_048_576]] as const) {
      for (const { ours, theirs } of counts) {
        assertEquals(ours.copiedBytes, sizeBytes);
        // The model keeps its pages by one copy of its own, as a device would.
        assertEquals(theirs.copiedBytes, sizeBytes);
        assertEquals([ours.filledBytes, theirs.filledBytes], [0, 0]);
      }
    }
    for (const side of ["ours", "theirs"] as const) {
      const allocated = (counts: typeof small) => counts.map((each) => each[side].allocatedBytes);
      assertEquals(allocated(large), allocated(small));
    }
  },
);
