import { assertEquals } from "@std/assert";
import { ModelVolume } from "../../support/model_volume.ts";
import { FakeKernel, OP, text, u32, u64 } from "./fake_kernel.ts";

const EPERM = 1;
const ENOENT = 2;
const EEXIST = 17;
const EINVAL = 22;
const ENAMETOOLONG = 36;
const EILSEQ = 84;
const ESTALE = 116;
const O_TMPFILE = 0o20200000;
const O_EXCL = 0o200;
const NOT_UTF8 = new Uint8Array([0x61, 0xff, 0]);

function served(options = {}) {
  const volume = new ModelVolume();
  const kernel = new FakeKernel(volume, options);
  kernel.init();
  return { volume, kernel };
}

function rename2(kernel: FakeKernel, from: [number, string], to: [number, string], flags = 0) {
  const body = [u64(to[0]), u32(flags), u32(0), text(from[1]), text(to[1])];
  return kernel.send(OP.RENAME2, { node: from[0], body }).errno;
}

Deno.test("lookup() finds, counts, and lets the kernel remember a miss", () => {
  const { kernel } = served({ attrTimeoutMs: 3000 });
  const made = kernel.create("a");
  const found = kernel.lookup("a");
  assertEquals([found.node, found.entryValid, found.attrValid], [made.node, 3, 3]);
  const missing = kernel.lookup("b");
  assertEquals([missing.node, missing.entryValid], [0, 3]);
  kernel.forget(made.node, 1);
  assertEquals(kernel.server.knownInodes, 1);
  kernel.forget(made.node, 1);
  assertEquals(kernel.server.knownInodes, 0);
});

Deno.test("lookup() of a name that is not UTF-8 is a miss, of one too long ENAMETOOLONG", () => {
  const { kernel } = served();
  assertEquals(kernel.ok(OP.LOOKUP, { body: [NOT_UTF8] }).entry().node, 0);
  assertEquals(kernel.fails(OP.LOOKUP, { body: [text("x".repeat(256))] }), ENAMETOOLONG);
  assertEquals(kernel.lookup("ü".repeat(127)).node, 0);
});

Deno.test("lookup() in a directory that is gone is ESTALE", () => {
  const { volume, kernel } = served();
  const { node } = kernel.mkdir("d");
  kernel.forget(node, 1);
  volume.rmdir(volume.root, "d");
  assertEquals(kernel.fails(OP.LOOKUP, { node, body: [text("a")] }), ESTALE);
});

Deno.test("lookup() of dots serves file handles: the inode itself, and a directory's parent", () => {
  const { kernel } = served();
  const d = kernel.mkdir("d");
  const e = kernel.mkdir("e", { node: d.node });
  assertEquals(kernel.lookup(".", e.node).node, e.node);
  assertEquals(kernel.lookup("..", e.node).node, d.node);
  assertEquals(kernel.lookup("..", 1).node, 1);
  assertEquals(rename2(kernel, [d.node, "e"], [1, "e"]), 0);
  assertEquals(kernel.lookup("..", e.node).node, 1);
  const { node } = kernel.create("f");
  assertEquals(kernel.fails(OP.LOOKUP, { node, body: [text("..")] }), ESTALE);
});

Deno.test("lookup() of dots finds a directory again that the kernel has forgotten", () => {
  const { volume, kernel } = served();
  const d = kernel.mkdir("d");
  const e = kernel.mkdir("e", { node: d.node });
  for (const { node } of [e, d]) kernel.forget(node, 1);
  assertEquals(kernel.server.knownInodes, 0);
  assertEquals(kernel.lookup(".", e.node).node, e.node);
  assertEquals(kernel.lookup("..", e.node).node, d.node);
  assertEquals(kernel.lookup("..", d.node).node, 1);
  const reads = volume.calls.get("readdir");
  assertEquals(kernel.lookup("..", e.node).node, d.node);
  assertEquals(volume.calls.get("readdir"), reads, "it is known from now on");
  volume.rmdir(d.node, "e");
  assertEquals(kernel.lookup("..", e.node).node, d.node);
});

Deno.test("mknod() makes special files and takes the umask off", () => {
  const { kernel } = served();
  const body = [u32(0o020666), u32(0x103), u32(0o027), u32(0), text("null")];
  const { attr } = kernel.ok(OP.MKNOD, { uid: 5, gid: 6, body }).entry();
  assertEquals([attr.mode, attr.rdev, attr.uid, attr.gid], [0o020640, 0x103, 5, 6]);
  assertEquals(kernel.fails(OP.MKNOD, { body }), EEXIST);
});

Deno.test("mkdir() and create() inherit the group of a setgid directory", () => {
  const asked: number[] = [];
  const { kernel } = served({
    groupsOf: (pid: number) => {
      asked.push(pid);
      return [50];
    },
  });
  const { node } = kernel.mkdir("d", { mode: 0o777, umask: 0 });
  kernel.setattr(node, 1 | 4, { mode: 0o2777, gid: 50 });
  const who = { node, uid: 1000, gid: 100, pid: 77 };
  const { attr: directory } = kernel.mkdir("sub", { ...who });
  assertEquals([directory.mode, directory.gid], [0o042755, 50]);
  const { attr: plain } = kernel.create("plain", { ...who, mode: 0o100777 });
  assertEquals([plain.mode, plain.uid, plain.gid], [0o100755, 1000, 50]);
  const { attr: member } = kernel.create("member", { ...who, mode: 0o102777 });
  assertEquals([member.mode, member.gid, asked], [0o102755, 50, [77, 77]]);
  kernel.setattr(node, 4, { gid: 60 });
  kernel.setattr(node, 1, { mode: 0o2777 });
  assertEquals(kernel.create("other", { ...who, mode: 0o102777 }).attr.mode, 0o100755);
});

Deno.test("create() opens what is there already, and cuts it if that is asked for", () => {
  const { kernel } = served();
  const { node } = kernel.create("a");
  kernel.write(node, "abc");
  kernel.server.sync();
  assertEquals(kernel.create("a").attr.size, 3);
  assertEquals(kernel.server.isDirty, false);
  assertEquals(kernel.create("a", { flags: 0o1102 }).attr.size, 0);
  assertEquals(kernel.server.isDirty, true, "a cut becomes durable in time");
  const body = [u32(0o302), u32(0o100644), u32(0), u32(0), text("a")];
  assertEquals(kernel.fails(OP.CREATE, { body }), EEXIST);
});

Deno.test("create() of a name that is not UTF-8 is EILSEQ", () => {
  const { kernel } = served();
  const body = [u32(0o302), u32(0o100644), u32(0), u32(0), NOT_UTF8];
  assertEquals(kernel.fails(OP.CREATE, { body }), EILSEQ);
});

Deno.test("symlink() and readlink() keep the target; the umask does not matter", () => {
  const { kernel } = served();
  const made = kernel.ok(OP.SYMLINK, { body: [text("l"), text("../ziel ü")] }).entry();
  assertEquals([made.attr.mode, made.attr.size], [0o120777, 10]);
  const fields = kernel.ok(OP.READLINK, { node: made.node });
  assertEquals(fields.text(fields.left), "../ziel ü");
  assertEquals(kernel.fails(OP.READLINK, { node: 1 }), EINVAL);
});

Deno.test("link() adds a name to the same node, which counts", () => {
  const { kernel } = served();
  const { node } = kernel.create("a");
  const linked = kernel.ok(OP.LINK, { body: [u64(node), text("b")] }).entry();
  assertEquals([linked.node, linked.attr.nlink], [node, 2]);
  kernel.forget(node, 2);
  assertEquals(kernel.server.knownInodes, 0);
  const d = kernel.mkdir("d");
  assertEquals(kernel.fails(OP.LINK, { body: [u64(d.node), text("e")] }), EPERM);
});

Deno.test("unlink() and rmdir() take names away", () => {
  const { kernel } = served();
  kernel.create("a");
  kernel.mkdir("d");
  kernel.ok(OP.UNLINK, { body: [text("a")] });
  assertEquals(kernel.fails(OP.UNLINK, { body: [text("a")] }), ENOENT);
  kernel.ok(OP.RMDIR, { body: [text("d")] });
  assertEquals(kernel.lookup("d").node, 0);
});

Deno.test("rename() replaces, and rename2() keeps or exchanges", () => {
  const { kernel } = served();
  const a = kernel.create("a").node;
  const b = kernel.create("b").node;
  assertEquals(rename2(kernel, [1, "a"], [1, "b"], 1), EEXIST);
  assertEquals(rename2(kernel, [1, "a"], [1, "b"], 2), 0);
  assertEquals([kernel.lookup("a").node, kernel.lookup("b").node], [b, a]);
  assertEquals(rename2(kernel, [1, "a"], [1, "b"], 4), EINVAL);
  kernel.ok(OP.RENAME, { body: [u64(1), text("a"), text("b")] });
  assertEquals([kernel.lookup("a").node, kernel.lookup("b").node], [0, b]);
});

Deno.test("rename2() that exchanges directories exchanges their parents", () => {
  const { kernel } = served();
  const d = kernel.mkdir("d").node;
  const inner = kernel.mkdir("inner", { node: d }).node;
  const e = kernel.mkdir("e").node;
  assertEquals(rename2(kernel, [d, "inner"], [1, "e"], 2), 0);
  assertEquals(kernel.lookup("..", inner).node, 1);
  assertEquals(kernel.lookup("..", e).node, d);
});

Deno.test("batchForget() takes back what each pair says", () => {
  const { kernel } = served();
  const a = kernel.create("a").node;
  const b = kernel.create("b").node;
  kernel.lookup("b");
  const body = [u32(2), u32(0), u64(a), u64(1), u64(b), u64(1)];
  assertEquals(kernel.send(OP.BATCH_FORGET, { body }).length, 0);
  assertEquals(kernel.server.knownInodes, 1);
});

function tmpfile(kernel: FakeKernel, { flags = 0, mode = 0o644, umask = 0o022, uid = 0 } = {}) {
  const body = [u32(O_TMPFILE | flags), u32(mode), u32(umask), u32(0), text("#1")];
  return kernel.ok(OP.TMPFILE, { body, uid, gid: uid });
}

Deno.test("tmpfile() makes a file without a name, which goes when the kernel forgets it", () => {
  const { volume, kernel } = served();
  const fields = tmpfile(kernel, { mode: 0o666, umask: 0o027, uid: 7 });
  const { node, attr } = fields.entry();
  assertEquals(fields.left, 16);
  assertEquals([attr.mode, attr.nlink, attr.uid, attr.gid], [0o100640, 0, 7, 7]);
  kernel.write(node, "nameless");
  assertEquals([kernel.read(node, 10), kernel.list(1).length], ["nameless", 2]);
  assertEquals(volume.inodeCount, 2);
  kernel.forget(node, 1);
  assertEquals(volume.inodeCount, 1);
});

Deno.test("tmpfile() may be given its first name, unless it was made exclusively", () => {
  const { kernel } = served();
  const { node } = tmpfile(kernel).entry();
  const exclusive = tmpfile(kernel, { flags: O_EXCL }).entry();
  kernel.ok(OP.LINK, { body: [u64(node), text("named")] });
  assertEquals(kernel.lookup("named").node, node);
  assertEquals(kernel.fails(OP.LINK, { body: [u64(exclusive.node), text("b")] }), ENOENT);
  kernel.forget(node, 3);
  assertEquals(kernel.lookup("named").attr.nlink, 1);
});
