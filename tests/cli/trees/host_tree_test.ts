/**
 * The host's files as a tree to copy from and to.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { HostTree } from "../../../cli/trees/host_tree.ts";
import { inFolder } from "../../support/command_line.ts";
import { assertErrno } from "../../support/errno.ts";
import { hostCommand } from "../../../tools/programs.ts";

const ATTR = {
  ino: 0,
  mode: 0o100640,
  nlink: 1,
  uid: Deno.uid()!,
  gid: Deno.gid()!,
  rdev: 0,
  size: 0,
  blocks: 0,
  atime: 5_000,
  mtime: 4_000,
  ctime: 0,
};

/** The host as Linux has it, and as it is where the C library cannot be asked. */
const TREES = [["with", () => new HostTree()], ["without", () => new HostTree(null)]] as const;

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
}

for (const [how, make] of TREES) {
  Deno.test(`HostTree ${how} the C library makes a file whole or not at all`, () => {
    inFolder((folder) => {
      const tree = make();
      const file = tree.begin(folder, "a");
      file.write(new TextEncoder().encode("tail"), 10_000);
      file.resize(20_000);
      const [temporary] = namesIn(folder);
      assert(temporary!.startsWith(".cairn-"));
      const { node, lacks } = file.keep(ATTR, []);
      file.close();
      assertEquals([node, lacks, namesIn(folder)], [`${folder}/a`, [], ["a"]]);
      const { attr, key } = tree.look(folder, "a")!;
      const { mode, size, atime, mtime } = attr;
      assertEquals([mode, size, atime, mtime], [0o100640, 20_000, 5_000, 4_000]);
      const contents = tree.open({ node, attr, key });
      const bytes = new Uint8Array(4);
      assertEquals(contents.read(bytes, 10_000), 4);
      assertEquals(new TextDecoder().decode(bytes), "tail");
      const start = contents.dataAt(0);
      assert(start <= 10_000 && contents.holeAt(start) >= 10_004);
      contents.close();
      tree.begin(folder, "b").close();
      assertEquals(namesIn(folder), ["a"]);
    });
  });

  Deno.test(`HostTree ${how} the C library distinguishes what is missing from what fails`, () => {
    inFolder((folder) => {
      const tree = make();
      assertEquals(tree.look(folder, "none"), null);
      Deno.writeTextFileSync(`${folder}/file`, "");
      assertThrows(() => tree.look(`${folder}/file`, "x"), Error, "ENOTDIR");
      Deno.symlinkSync("file", `${folder}/link`);
      assertEquals(tree.look(folder, "link")!.attr.mode & 0o170000, 0o120000);
      assertThrows(() => tree.open(tree.look(folder, "link")!), Error, "ELOOP");
      assertEquals(tree.names(folder), ["file", "link"]);
      assertEquals(tree.readlink(`${folder}/link`), "file");
    });
  });
}

Deno.test("HostTree says which attributes it could not give", () => {
  inFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/a`, "");
    const value = new Uint8Array([1]);
    const lacks = new HostTree().applyAttributes(`${folder}/a`, ATTR, [["user.a", value], [
      "odd",
      value,
    ]]);
    assertEquals(lacks, ['ENOTSUP: cannot set the attribute "odd"']);
    assertEquals(new HostTree().xattrs(`${folder}/a`), [["user.a", value]]);
    const [lack] = new HostTree(null).applyAttributes(`${folder}/a`, ATTR, [["user.a", value]]);
    assertEquals(lack, 'ENOTSUP: cannot set the attribute "user.a"');
    assertEquals(new HostTree(null).xattrs(`${folder}/a`), []);
  });
});

Deno.test("HostTree makes special files where the C library can be asked", () => {
  inFolder((folder) => {
    const fifo = { ...ATTR, mode: 0o010600 };
    assertErrno("ENOTSUP", () => new HostTree(null).makeSpecial(folder, "p", fifo));
    new HostTree().makeSpecial(folder, "p", fifo);
    assertEquals(Deno.lstatSync(`${folder}/p`).isFifo, true);
  });
});

Deno.test("HostTree reads no link that is not UTF-8", () => {
  inFolder((folder) => {
    const script = `ln -s "$(printf 'a\\377')" "$1/link"`;
    hostCommand("sh", { args: ["-c", script, "sh", folder] }).outputSync();
    assertErrno("EILSEQ", () => new HostTree().readlink(`${folder}/link`));
  });
});
