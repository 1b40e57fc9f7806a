/** What Emscripten's types build by hand. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { O_RDWR } from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import { assertErrno } from "../support/errno.ts";

function make() {
  const fs = createFS();
  fs.mkdir("/d");
  fs.writeFile("/d/f", "x");
  fs.symlink("f", "/d/l");
  fs.symlink("none", "/d/dangling");
  return fs;
}

Deno.test("lookupNode() and lookup() find a child or throw", () => {
  const fs = make();
  const directory = fs.findObject("/d")!;
  assertStrictEquals(fs.lookupNode(directory, "f"), fs.findObject("/d/f"));
  assertErrno("ENOENT", () => fs.lookupNode(directory, "none"));
  assertErrno("ENOTDIR", () => fs.lookupNode(fs.findObject("/d/f")!, "x"));
  assertEquals(fs.lookup(directory, "f").id, fs.stat("/d/f").ino);
  assertErrno("ENOENT", () => fs.lookup(directory, "none"));
});

Deno.test("createNode() enters the table below a mounted parent, hashRemoveNode() takes it out", () => {
  const fs = make();
  const directory = fs.findObject("/d")!;
  const node = fs.createNode(directory, "made", 0o100644, 0);
  assertStrictEquals(fs.findObject("/d/made"), node);
  const bucket = fs.hashName(directory.id, "made");
  assert(bucket >= 0 && bucket < fs.nameTable.length);
  fs.hashRemoveNode(node);
  assertEquals(fs.findObject("/d/made"), null);
  fs.hashAddNode(node);
  fs.hashAddNode(node);
  assertStrictEquals(fs.findObject("/d/made"), node);
  fs.destroyNode(node);
  assertEquals(fs.findObject("/d/made"), null);
  assertEquals(fs.createNode(null, "/", 0o040755).pins, 0);
});

Deno.test("hashAddNode() of one of two nodes of a name leaves its chain as it is", () => {
  const fs = make();
  const directory = fs.findObject("/d")!;
  const two = [1, 2].map(() => fs.createNode(directory, "twice", 0o100644, 0));
  const chain = (): unknown[] => {
    const found: unknown[] = [];
    for (let node of fs.nameTable) {
      // A ring has no end.
      for (; node !== null && found.length < 99; node = node.name_next) {
        if (two.includes(node)) found.push(node);
      }
    }
    return found;
  };
  const before = chain();
  for (const node of [...two, ...two]) fs.hashAddNode(node);
  assertEquals(before.length, 2);
  assert(chain().every((node, at) => node === before[at]) && chain().length === 2);
  for (const node of two) fs.destroyNode(node);
  assertEquals([chain().length, fs.findObject("/d/twice")], [0, null]);
});

Deno.test("a stream that createStream() has made takes nothing from one that is open", () => {
  const fs = make();
  fs.writeFile("/d/f", "kept");
  const open = fs.open("/d/f", "r");
  const node = open.node;
  fs.unlink("/d/f");
  // Named or not, these are the operations of the node.
  for (const more of [{}, { stream_ops: node.stream_ops }]) {
    fs.close(fs.createStream({ node, path: "/d/f", ...more }));
  }
  const bytes = new Uint8Array(9);
  assertEquals([fs.read(open, bytes, 0, 9), new TextDecoder().decode(bytes.subarray(0, 4))], [
    4,
    "kept",
  ]);
  // As Emscripten's own open does it: made, then opened.
  const made = fs.createStream({ node, stream_ops: node.stream_ops });
  made.stream_ops.open!(made);
  fs.close(open);
  assertEquals(fs.read(made, bytes, 0, 9), 4);
  fs.close(made);
  assertEquals(fs.read(fs.createStream({ node }), bytes, 0, 9), 0);
});

Deno.test("createStream(), closeStream() and dupStream() work on the table alone", () => {
  const fs = make();
  const node = fs.findObject("/d/f")!;
  const stream = fs.createStream({ node, flags: O_RDWR, path: "/d/f" }, 5);
  assertEquals([stream.fd, fs.read(stream, new Uint8Array(4), 0, 4)], [5, 1]);
  const copy = fs.dupStream(stream);
  assertEquals([copy.fd, copy.position, fs.dupStream(stream, 9).fd], [0, 1, 9]);
  fs.closeStream(5);
  assertEquals(fs.getStream(5), null);
  assertErrno("EINVAL", () => fs.createStream({} as never));
  assertErrno("EBADF", () => fs.createStream({ node }, -7));
});
