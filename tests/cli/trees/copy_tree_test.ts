/**
 * Copies of trees: volume to volume, to the host and back, and what comes in between.
 */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type CopyEnds, TreeCopy, withoutOwner } from "../../../cli/trees/copy_tree.ts";
import { HostTree } from "../../../cli/trees/host_tree.ts";
import type { Entry, SourceTree, Tree } from "../../../cli/trees/tree_ops.ts";
import { PlaceError } from "../../../cli/shared/verb.ts";
import { VolumeTree } from "../../../cli/trees/volume_tree.ts";
import { ErrnoError } from "../../../mod.ts";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import type { Volume } from "../../../opfs/volume/volume.ts";
import type { Ino } from "../../../opfs/volume_ops.ts";
import { inFolder } from "../../support/command_line.ts";
import { onVolume } from "../../support/on_volume.ts";
import { treeView } from "../../support/tree_view.ts";

const NOW_MS = Math.floor(Date.now());
const PAGE = 4096;
const isRoot = Deno.uid() === 0;
const OWNER = isRoot ? { uid: 12, gid: 34 } : { uid: Deno.uid()!, gid: Deno.gid()! };
/** Read later than anything was changed, so that reading does not move it. */
const TIMES = { atime: NOW_MS + 60_000.25, mtime: NOW_MS - 5000.5 };

/** A directory "tree" with one of everything. */
function fill(volume: Volume): void {
  const root = volume.create(volume.root, "tree", { mode: 0o040750, ...OWNER });
  const file = volume.create(root, "file", { mode: 0o106755, ...OWNER });
  volume.write(file, new Uint8Array(3 * PAGE + 7).fill(7), 0);
  volume.setxattr(file, "user.note", new Uint8Array([1, 2, 3]), 0);
  const sparse = volume.create(root, "sparse", { mode: 0o100600, ...OWNER });
  volume.write(sparse, new Uint8Array(2 * PAGE).fill(1), 16 * PAGE);
  volume.setattr(sparse, { size: 2 ** 31 });
  const inner = volume.create(root, "inner", { mode: 0o041777, ...OWNER });
  volume.link(file, inner, "again");
  const link = volume.create(inner, "link", { mode: 0o120777, target: "../file", ...OWNER });
  const fifo = volume.create(inner, "fifo", { mode: 0o010640, ...OWNER });
  const inodes = [file, sparse, link, fifo, inner, root];
  if (isRoot) {
    inodes.unshift(volume.create(inner, "dev", { mode: 0o020600, rdev: 0x0010_012c, ...OWNER }));
  }
  for (const ino of inodes) volume.setattr(ino, TIMES);
}

/** Copies "tree" and returns the report. */
function copyTree<S, T>(ends: CopyEnds<S, T>, roots: { from: S; to: T }, name = "tree") {
  const copy = new TreeCopy(ends);
  const entry = ends.from.look(roots.from, "tree")!;
  for (
    const _ of copy.run({ entry, directory: roots.to, name, fromText: "from", toText: "to" })
  );
  return copy.report();
}

function viewIn<N>(tree: SourceTree<N>, directory: N, name = "tree") {
  return treeView(tree, tree.look(directory, name)!);
}

/** Runs with a volume that has the tree. */
function withSource(work: (volume: Volume, tree: VolumeTree) => void): void {
  onVolume(
    (volume) => {
      fill(volume);
      work(volume, new VolumeTree(volume));
    },
    () => {},
    { clock: () => NOW_MS },
  );
}

Deno.test("TreeCopy carries everything from volume to volume", () => {
  withSource((source, from) => {
    const before = viewIn(from, source.root);
    assertEquals(Object.keys(before).length, isRoot ? 8 : 7);
    onVolume(
      (target) => {
        const to = new VolumeTree(target);
        const report = copyTree({ from, to }, { from: source.root, to: target.root });
        const { files, directories, symlinks, special, hardLinks, bytes } = report;
        assertEquals([files, directories, symlinks, special, hardLinks], [
          2,
          2,
          1,
          isRoot ? 2 : 1,
          1,
        ]);
        assertEquals([bytes, report.findings], [5 * PAGE + 7, []]);
        assertEquals(viewIn(to, target.root), before);
        // Once more, over what is there.
        copyTree({ from, to }, { from: source.root, to: target.root });
        assertEquals(viewIn(to, target.root), before);
      },
      () => {},
      { clock: () => NOW_MS },
    );
  });
});

Deno.test("TreeCopy within one volume leaves its bytes there", () => {
  onVolume((volume) => {
    fill(volume);
    const { read } = volume;
    volume.read = () => refuse("EPERM");
    const tree = new VolumeTree(volume);
    const roots = { from: volume.root, to: volume.root };
    const report = copyTree({ from: tree, to: tree }, roots, "copy");
    assertEquals([report.isComplete, report.bytes], [true, 5 * PAGE + 7]);
    volume.read = read;
  }, (volume) => {
    const tree = new VolumeTree(volume);
    assertEquals(viewIn(tree, volume.root, "copy"), viewIn(tree, volume.root));
    const copy = volume.lookup(volume.root, "copy");
    assertEquals(volume.getattr(volume.lookup(copy, "sparse")).blocks, 2 * 8);
  });
});

Deno.test("TreeCopy within one volume leaves out what cannot be read, and says so", () => {
  onVolume((volume) => {
    const folder = volume.create(volume.root, "tree", { mode: 0o040755, ...OWNER });
    const [bad] = ["bad", "good"].map((name) => {
      const ino = volume.create(folder, name, { mode: 0o100644, ...OWNER });
      volume.write(ino, new Uint8Array(100).fill(1), 0);
      return ino;
    });
    const { read, copyRange } = volume;
    volume.read = (ino, ...rest) => ino === bad ? refuse("EIO") : read.call(volume, ino, ...rest);
    volume.copyRange = (source, ...rest) =>
      source === bad ? refuse("EIO") : copyRange.call(volume, source, ...rest);
    const tree = new VolumeTree(volume);
    const roots = { from: volume.root, to: volume.root };
    const { findings } = copyTree({ from: tree, to: tree }, roots, "copy");
    assertEquals(findings.map(({ severity, path }) => [severity, path]), [["lost", "from/bad"]]);
    assertEquals(tree.names(volume.lookup(volume.root, "copy")), ["good"]);
  });
});

Deno.test("TreeCopy carries everything to the host and back", () => {
  withSource((source, from) => {
    const before = viewIn(from, source.root);
    inFolder((folder) => {
      const host = new HostTree();
      for (let round = 0; round < 2; round++) {
        const report = copyTree({ from, to: host }, { from: source.root, to: folder });
        assertEquals(report.findings, []);
      }
      assertEquals(viewIn(host, folder), before);
      assertEquals([...Deno.readDirSync(folder)].length, 1);
      onVolume(
        (target) => {
          const to = new VolumeTree(target);
          copyTree({ from: host, to }, { from: folder, to: target.root });
          assertEquals(viewIn(to, target.root), before);
        },
        () => {},
        { clock: () => NOW_MS },
      );
    });
  });
});

Deno.test("TreeCopy keeps what is there when an option says so", () => {
  withSource((source, from) => {
    onVolume((target) => {
      const to = new VolumeTree(target);
      const tree = target.create(target.root, "tree", { mode: 0o040700, uid: 0, gid: 0 });
      const mine = target.create(tree, "file", { mode: 0o100600, uid: 0, gid: 0 });
      copyTree({ from, to, keepsExisting: true }, { from: source.root, to: target.root });
      assertEquals(target.lookup(tree, "file"), mine);
      assertEquals(target.getattr(mine).size, 0);
      assert(target.lookup(tree, "sparse") !== 0);
    });
  });
});

Deno.test("TreeCopy refuses to put a directory over a file, and a file over a directory", () => {
  withSource((source, from) => {
    onVolume((target) => {
      const to = new VolumeTree(target);
      const ends = { from, to };
      const roots = { from: source.root, to: target.root };
      target.create(target.root, "tree", { mode: 0o100600, uid: 0, gid: 0 });
      assertThrows(() => copyTree(ends, roots), PlaceError, '"to": ENOTDIR');
      const other = target.create(target.root, "other", { mode: 0o040700, uid: 0, gid: 0 });
      target.create(other, "file", { mode: 0o040700, uid: 0, gid: 0 });
      assertThrows(() => copyTree(ends, roots, "other"), PlaceError, '"to/file": EISDIR');
    });
    const roots = { from: source.root, to: source.root };
    assertThrows(() => copyTree({ from, to: from }, roots), PlaceError, "EINVAL");
  });
});

Deno.test("TreeCopy replaces a device, a FIFO or a socket by nothing else", () => {
  withSource((source, from) => {
    onVolume((target) => {
      const ends = { from, to: new VolumeTree(target) };
      const roots = { from: source.root, to: target.root };
      const other = target.create(target.root, "other", { mode: 0o040700, uid: 0, gid: 0 });
      for (const mode of [0o020666, 0o060600, 0o010600, 0o140600]) {
        target.create(other, "file", { mode, uid: 0, gid: 0, rdev: 259 });
        assertThrows(() => copyTree(ends, roots, "other"), PlaceError, '"to/file": EEXIST');
        assertEquals(target.getattr(target.lookup(other, "file")).mode, mode);
        target.unlink(other, "file");
      }
      assertEquals(copyTree(ends, roots, "other").isComplete, true);
      assertEquals(copyTree(ends, roots, "other").isComplete, true, "each by its own kind");
    });
  });
});

/** A tree in which some calls fail. */
function failing(tree: VolumeTree, broken: Partial<Tree<Ino>>): Tree<Ino> {
  return new Proxy(tree as Tree<Ino>, {
    get(target, key: keyof Tree<Ino>) {
      const value = broken[key] ?? target[key];
      return typeof value === "function" ? value.bind(target as never) : value;
    },
  });
}

function refuse(code: "EFBIG" | "EFBIG" | "EFBIG" | "EIO" | "EPERM" | "ENOSPC"): never {
  throw new ErrnoError(code, "do it");
}

Deno.test("TreeCopy leaves out what it cannot read or make, and says so", () => {
  withSource((source, tree) => {
    onVolume((target) => {
      const from = failing(tree, {
        open: (entry: Entry<Ino>) => entry.attr.size > 2 ** 20 ? refuse("EIO") : tree.open(entry),
      });
      const plain = new VolumeTree(target);
      const to = failing(plain, {
        makeSpecial: () => refuse("EPERM"),
        applyAttributes: (...args) => [...plain.applyAttributes(...args), "ENOTSUP: an attribute"],
      });
      const report = copyTree({ from, to }, { from: source.root, to: target.root });
      assertEquals(report.isComplete, false);
      const lines = report.findings.map((one) => `${one.severity} ${one.path}: ${one.message}`);
      assert(lines.includes("lost from/sparse: EIO: cannot do it"), lines.join("\n"));
      assert(lines.includes("lost to/inner/fifo: not made: EPERM: cannot do it"));
      assertEquals(lines.filter((line) => line.includes("ENOTSUP")).length, 2);
      assertEquals(Object.keys(viewIn(plain, target.root)).sort(), [
        "",
        "/file",
        "/inner",
        "/inner/again",
        "/inner/link",
      ]);
    });
  });
});

Deno.test("TreeCopy ends when the target fails, and leaves no half file", () => {
  withSource((source, from) => {
    onVolume((target) => {
      const plain = new VolumeTree(target);
      const to = failing(plain, {
        begin: (directory, name) => ({
          ...plain.begin(directory, name),
          resize: () => refuse("ENOSPC"),
        }),
      });
      const roots = { from: source.root, to: target.root };
      assertThrows(() => copyTree({ from, to }, roots), PlaceError, '"to/file": ENOSPC');
      assertEquals(Object.keys(viewIn(plain, target.root)), [""]);
    });
  });
});

Deno.test("TreeCopy leaves out what the target cannot have, and goes on", () => {
  const host = (message: string): never => {
    throw new Error(message);
  };
  for (const fail of [() => refuse("EFBIG"), () => host("File too large (os error 27)")]) {
    onVolume((source) => {
      onVolume((target) => {
        const tree = source.create(source.root, "tree", { mode: 0o040755, uid: 0, gid: 0 });
        for (const name of ["a", "b", "c"]) {
          source.write(source.create(tree, name, { mode: 0o100644, uid: 0, gid: 0 }), BYTES, 0);
        }
        const plain = new VolumeTree(target);
        const to = failing(plain, {
          begin: (directory, name) => {
            const made = plain.begin(directory, name);
            return name === "b" ? { ...made, resize: fail, close: () => made.close() } : made;
          },
        });
        const from = new VolumeTree(source);
        const entry = from.look(source.root, "tree")!;
        const copy = new TreeCopy({ from, to });
        const job = { entry, directory: target.root, name: "tree", fromText: "tree", toText: "to" };
        for (const _ of copy.run(job));
        const { isComplete, findings, files, bytes } = copy.report();
        assertEquals([isComplete, files, bytes], [false, 2, 2 * BYTES.length]);
        const [finding] = findings;
        assertEquals([finding!.severity, finding!.path], ["lost", "to/b"]);
        assertStringIncludes(finding!.message, "EFBIG");
        const made = target.lookup(target.root, "tree");
        assertEquals(target.readdir(made, 0).map(({ name }) => name), ["a", "c"]);
      });
    });
  }
});

const BYTES = new Uint8Array(1000).fill(1);

Deno.test("TreeCopy leaves no half file when it is stopped, and leaves out what it should", () => {
  withSource((source, from) => {
    onVolume((target) => {
      const to = new VolumeTree(target);
      const entry = from.look(source.root, "tree")!;
      const job = { entry, directory: target.root, name: "tree", fromText: "", toText: "" };
      const steps = new TreeCopy({ from, to }).run(job);
      steps.next();
      steps.return();
      const names = to.names(target.lookup(target.root, "tree"));
      assertEquals(names, []);
      const leaveOut = (key: string) => key === entry.key ? "no" : null;
      const ends = { from, to, leaveOut };
      const report = copyTree(ends, { from: source.root, to: target.root }, "other");
      assertEquals(report.findings.map(({ severity }) => severity), ["note"]);
      assertEquals([report.isComplete, target.lookup(target.root, "other")], [true, 0]);
    });
  });
});

Deno.test("TreeCopy fills a directory with what is in another", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const tree = new VolumeTree(volume);
  fill(volume);
  const into = volume.create(volume.root, "into", { mode: 0o040700, uid: 0, gid: 0 });
  const copy = new TreeCopy({ from: tree, to: tree });
  const entry = tree.look(volume.root, "tree")!;
  for (const _ of copy.run({ entry, directory: into, name: null, fromText: "", toText: "" }));
  assertEquals(tree.names(into), tree.names(entry.node));
  assertEquals(volume.getattr(into).mode, 0o040750);
  volume.close();
});

Deno.test("withoutOwner() takes setuid and setgid away and nothing else", () => {
  const attr = { mode: 0o107755 } as Parameters<typeof withoutOwner>[0];
  assertEquals(withoutOwner(attr), { ...attr, mode: 0o101755 });
});
