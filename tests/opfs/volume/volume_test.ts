/** What a volume answers: structure, links, space, open files, times. */
import { assert, assertEquals } from "@std/assert";
import { InvariantError } from "../../../abi/invariant.ts";
import { stateOf } from "../../support/engine_state.ts";
import { contentsOf } from "../../support/model_tree.ts";
import { fails, FILE, onVolume } from "../../support/on_volume.ts";

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

Deno.test("Volume.create() refuses invalid numbers", () => {
  onVolume((volume) => {
    for (
      const bad of [{ mode: 0o644 }, { mode: -1 }, { uid: 1.5 }, { gid: 2 ** 32 }, { rdev: -1 }]
    ) {
      fails("EINVAL", () => volume.create(volume.root, "a", { ...FILE, ...bad }));
    }
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

Deno.test("Volume answers a broken invariant with EIO from every call that reads", () => {
  onVolume((volume) => {
    const link = { mode: 0o120777, uid: 0, gid: 0, target: "t" };
    volume.create(volume.root, "link", link);
    const file = volume.create(volume.root, "a", FILE);
    volume.write(file, new Uint8Array(10), 0);
    volume.setxattr(file, "user.long", new Uint8Array(9000), 0);
  }, (volume) => {
    const state = stateOf(volume);
    const { get } = state.pool;
    state.pool.get = () => {
      throw new InvariantError("V15: no frame");
    };
    const file = volume.lookup(volume.root, "a");
    fails("EIO", () => volume.read(file, new Uint8Array(1), 0));
    state.failure = null;
    fails("EIO", () => volume.readlink(volume.lookup(volume.root, "link")));
    state.failure = null;
    fails("EIO", () => volume.getxattr(file, "user.long"));
    state.failure = null;
    state.pool.get = get;
  });
});
