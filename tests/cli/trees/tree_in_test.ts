/** Building a tree member by member. */
import { assertEquals, assertMatch } from "@std/assert";
import { type Member, TreeIn } from "../../../cli/trees/tree_in.ts";
import {
  checkVolume,
  Findings,
  memoryHandle,
  openVolumeSync,
  TransferClock,
  type Volume,
} from "../../../opfs/mod.ts";

function member(path: string, mode: number, more: Partial<Member> = {}): Member {
  const times = { mtimeMs: 1000, atimeMs: 2000, ctimeMs: 3000 };
  return { path, mode, uid: 1, gid: 2, rdev: 0, xattrs: new Map(), ...times, ...more };
}

function inTree(work: (tree: TreeIn, volume: Volume) => void): Findings {
  const handle = memoryHandle();
  const clock = new TransferClock();
  const volume = openVolumeSync(handle, { clock: clock.read });
  const findings = new Findings();
  work(new TreeIn(volume, { clock, findings, nowMs: 9000 }), volume);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
  return findings;
}

function put(tree: TreeIn, one: Member, contents = ""): number {
  const ino = tree.add(one);
  if (ino === 0) return 0;
  if (contents !== "") tree.write(ino, new TextEncoder().encode(contents), 0);
  tree.finish(ino, one);
  return ino;
}

Deno.test("TreeIn gives everything its times, directories too", () => {
  const findings = inTree((tree, volume) => {
    const d = put(tree, member("/d", 0o040700));
    const f = put(tree, member("/d/f", 0o100604), "text");
    tree.close();
    for (const ino of [d, f]) {
      const { uid, gid, mtime, atime, ctime } = volume.getattr(ino);
      assertEquals([uid, gid, mtime, atime, ctime], [1, 2, 1000, 2000, 3000]);
    }
    assertEquals([volume.getattr(d).mode, volume.getattr(f).mode], [0o040700, 0o100604]);
    assertEquals(volume.getattr(volume.root).mtime, 9000);
    assertEquals([tree.counts.files, tree.counts.directories, tree.counts.bytes], [1, 2, 4]);
  });
  assertEquals(findings.list, []);
});

Deno.test("TreeIn makes parents that were not named, and lets them be said later", () => {
  const findings = inTree((tree, volume) => {
    put(tree, member("/a/b/c", 0o100600));
    put(tree, member("/a", 0o040711));
    tree.close();
    const a = volume.lookup(volume.root, "a");
    assertEquals([volume.getattr(a).mode, volume.getattr(a).mtime], [0o040711, 1000]);
    const b = volume.getattr(volume.lookup(a, "b"));
    assertEquals([b.mode, b.uid, b.mtime, b.ctime], [0o040755, 0, 9000, 9000]);
    assertEquals(tree.counts.directories, 3);
  });
  const told = findings.list.map(({ code, path, message }) => `${code} ${path} ${message}`);
  assertEquals(told.length, 1);
  assertMatch(told[0]!, /^directory-implicit \/a 2 directories/);
});

Deno.test("TreeIn lets the later of two win, and never writes through a link", () => {
  const findings = inTree((tree, volume) => {
    put(tree, member("/f", 0o100600), "old contents");
    put(tree, member("/f", 0o100600), "new");
    put(tree, member("/l", 0o120777, { target: "/etc" }));
    assertEquals(put(tree, member("/l/passwd", 0o100600), "mine"), 0);
    put(tree, member("/d", 0o040755));
    put(tree, member("/d/x", 0o100600));
    assertEquals(put(tree, member("/d", 0o100600)), 0);
    tree.close();
    assertEquals(volume.getattr(volume.lookup(volume.root, "f")).size, 3);
    assertEquals([tree.counts.files, tree.counts.bytes, tree.counts.symlinks], [2, 3, 1]);
  });
  const told = findings.list.map(({ severity, code, path }) => `${severity} ${code} ${path}`);
  assertEquals(told, ["note said-twice /f", "lost unstorable /l/passwd", "lost unstorable /d"]);
});

Deno.test("TreeIn links names, and reports what is not there to be linked", () => {
  const findings = inTree((tree, volume) => {
    const f = put(tree, member("/f", 0o100600), "x");
    put(tree, member("/d", 0o040755));
    assertEquals(tree.link("/d/g", "/f"), true);
    assertEquals(tree.link("/f", "/f"), true);
    assertEquals(tree.link("/h", "/none"), false);
    assertEquals(tree.link("/h", "/d"), false);
    tree.close();
    assertEquals([volume.getattr(f).nlink, volume.getattr(f).ctime], [2, 3000]);
    assertEquals(tree.counts.hardLinks, 1);
  });
  assertEquals(findings.count("lost"), 2);
});

Deno.test("TreeIn reports numbers, names and attributes that no volume holds", () => {
  const findings = inTree((tree) => {
    put(tree, member("/u", 0o100600, { uid: 2 ** 40, mtimeMs: NaN }));
    const xattrs = new Map([["user.big", new Uint8Array(70_000)], ["user.ok", new Uint8Array(1)]]);
    put(tree, member("/x", 0o100600, { xattrs }));
    assertEquals(put(tree, member(`/${"n".repeat(256)}`, 0o100600)), 0);
    assertEquals(put(tree, member("/a/".repeat(30_000), 0o100600)), 0);
    assertEquals(put(tree, member("/s", 0o120777, { target: "t".repeat(5000) })), 0);
    assertEquals(put(tree, member("/", 0o100600)), 0);
    tree.close();
  });
  assertEquals([findings.count("changed"), findings.count("lost")], [3, 4]);
});
