import { assertEquals } from "@std/assert";
import { ModelVolume } from "../../support/model_volume.ts";
import { FakeKernel, OP, text } from "./fake_kernel.ts";

const ENOTDIR = 20;

function servedWith(count: number) {
  const volume = new ModelVolume();
  const kernel = new FakeKernel(volume);
  kernel.init();
  const names = Array.from({ length: count }, (_, index) => `file ${index}`);
  for (const name of names) {
    volume.create(volume.root, name, { mode: 0o100644, uid: 0, gid: 0 });
  }
  return { volume, kernel, names };
}

function namesOf(entries: readonly { name: string }[]): string[] {
  return entries.map((entry) => entry.name);
}

Deno.test("readdir() gives dots first, then everything once, in pieces of any size", () => {
  const { kernel, names } = servedWith(250);
  for (const size of [64, 100, 4096, 131072]) {
    const entries = kernel.list(1, { size });
    assertEquals(namesOf(entries), [".", "..", ...names], `pieces of ${size}`);
    assertEquals(entries.slice(0, 3).map((entry) => entry.type), [4, 4, 8]);
    assertEquals(entries[0]!.ino, 1);
  }
  assertEquals(kernel.server.knownInodes, 0);
});

Deno.test("readdir() asks the volume once for all pieces of one answer", () => {
  const { volume, kernel } = servedWith(90);
  kernel.list(1, { size: 256 });
  assertEquals(volume.calls.get("readdir"), 2);
});

Deno.test("readdir() goes on where it was when names come and go", () => {
  const { volume, kernel, names } = servedWith(10);
  const first = kernel.readdir(1, { size: 160 });
  assertEquals(namesOf(first), [".", "..", ...names.slice(0, 3)]);
  volume.unlink(volume.root, names[2]!);
  volume.unlink(volume.root, names[4]!);
  volume.create(volume.root, "late", { mode: 0o100644, uid: 0, gid: 0 });
  const rest = kernel.readdir(1, { offset: first.at(-1)!.offset });
  assertEquals(namesOf(rest), [names[3]!, ...names.slice(5), "late"]);
});

Deno.test("readdir() can be begun again, and two directories in turn", () => {
  const { volume, kernel, names } = servedWith(5);
  const d = kernel.mkdir("d").node;
  volume.create(d, "inside", { mode: 0o100644, uid: 0, gid: 0 });
  const first = kernel.readdir(1, { size: 96 });
  assertEquals(namesOf(first), [".", "..", names[0]!]);
  assertEquals(namesOf(kernel.list(d)), [".", "..", "inside"]);
  const second = kernel.readdir(1, { size: 100, offset: first.at(-1)!.offset });
  assertEquals(namesOf(second), names.slice(1, 4));
  assertEquals(namesOf(kernel.list(1)).length, 8);
});

Deno.test("readdir() knows the parent of a directory that the kernel knows", () => {
  const { kernel } = servedWith(0);
  const d = kernel.mkdir("d");
  const e = kernel.mkdir("e", { node: d.node });
  const [self, parent] = kernel.readdir(e.node);
  assertEquals([self!.ino, parent!.ino], [e.attr.ino, d.attr.ino]);
});

Deno.test("readdir() of a directory that has been removed has nothing but dots", () => {
  const { kernel } = servedWith(0);
  const { node } = kernel.mkdir("d");
  kernel.ok(OP.RMDIR, { body: [text("d")] });
  assertEquals(namesOf(kernel.list(node)), [".", ".."]);
});

Deno.test("readdir() of a file is ENOTDIR", () => {
  const { kernel } = servedWith(0);
  const { node } = kernel.create("a");
  const found = kernel.send(OP.READDIR, {
    node,
    body: [new Uint8Array([...new Uint8Array(16), 0, 16, 0, 0, ...new Uint8Array(20)])],
  });
  assertEquals(found.errno, ENOTDIR);
});

Deno.test("readdirplus() gives each inode and counts it, the dots aside", () => {
  const { volume, kernel, names } = servedWith(40);
  const entries = kernel.list(1, { plus: true, size: 1000 });
  assertEquals(namesOf(entries), [".", "..", ...names]);
  assertEquals(entries[0]!.entry?.node, 0);
  for (const { name, entry, ino } of entries.slice(2)) {
    assertEquals(entry?.node, volume.lookup(volume.root, name));
    assertEquals(entry?.attr.ino, ino);
  }
  assertEquals(kernel.server.knownInodes, 40);
  for (const { entry } of entries.slice(2)) kernel.forget(entry!.node, 1);
  assertEquals(kernel.server.knownInodes, 0);
});
