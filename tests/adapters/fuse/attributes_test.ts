/**
 * GETATTR and SETATTR as the kernel sends them. Bits of `valid`: 1 mode, 2 uid, 4 gid, 8 size,
 * 0x10 and 0x20 times, 0x80 and 0x100 the same as "now", 0x800 take setuid and setgid away.
 */
import { assertEquals } from "@std/assert";
import { ModelVolume } from "../../support/model_volume.ts";
import { FakeKernel, OP } from "./fake_kernel.ts";

const NOW = 1_800_000_000_500;
const ENOENT_STALE = 116;
/** A kernel of before 5.12: it does not say which caller is privileged. */
const OLD_OFFER = 0x7fffffff & ~0x10000000;

function kernelWith(mode: number, flags?: number) {
  const volume = new ModelVolume({ now: () => NOW });
  const kernel = new FakeKernel(volume, { clock: () => NOW });
  kernel.init(flags === undefined ? {} : { flags });
  const { node } = kernel.create("a", { mode, umask: 0, uid: 1000, gid: 100 });
  return { volume, kernel, node };
}

Deno.test("getattr() answers attributes and ESTALE for an inode that is gone", () => {
  const { volume, kernel, node } = kernelWith(0o100640);
  const { mode, uid, gid, nlink, mtime, mtimeNs } = kernel.getattr(node);
  assertEquals([mode, uid, gid, nlink], [0o100640, 1000, 100, 1]);
  assertEquals([mtime, mtimeNs], [1_800_000_000, 500_000_000]);
  volume.unlink(volume.root, "a");
  assertEquals(kernel.getattr(node).nlink, 0);
  kernel.forget(node, 1);
  assertEquals(kernel.fails(OP.GETATTR, { node, body: [] }), ENOENT_STALE);
});

Deno.test("setattr() changes what is valid and nothing else", () => {
  const { kernel, node } = kernelWith(0o100644);
  const all = { mode: 0o100600, uid: 7, gid: 8, size: 9, atime: 5, atimeNs: 1000, mtime: -2 };
  assertEquals(kernel.setattr(node, 0, all).mode, 0o100644);
  assertEquals(kernel.setattr(node, 1, all).mode, 0o100600);
  const owned = kernel.setattr(node, 2 | 4, all);
  assertEquals([owned.uid, owned.gid, owned.size], [7, 8, 0]);
  assertEquals(kernel.setattr(node, 8, all).size, 9);
  const timed = kernel.setattr(node, 0x10 | 0x20, all);
  assertEquals([timed.atime, timed.atimeNs, timed.mtime], [5, 1000, -2]);
  const now = kernel.setattr(node, 0x10 | 0x80 | 0x20 | 0x100, all);
  assertEquals([now.atime, now.atimeNs, now.mtime], [1_800_000_000, 500_000_000, 1_800_000_000]);
});

Deno.test("setattr() answers EFBIG for a size beyond every limit", () => {
  const { kernel, node } = kernelWith(0o100644);
  const body = FakeKernel.setattrBody(8, { size: 2 ** 62 });
  assertEquals(kernel.fails(OP.SETATTR, { node, body }), 27);
});

Deno.test("setattr() takes setuid and setgid away with a new owner, for every caller", () => {
  const { kernel, node } = kernelWith(0o106755);
  assertEquals(kernel.setattr(node, 2, { uid: 5 }, { uid: 0 }).mode, 0o100755);
  const locked = kernelWith(0o106745);
  assertEquals(locked.kernel.setattr(locked.node, 4, { gid: 5 }).mode, 0o102745);
  const directory = kernelWith(0o100644);
  const { node: d } = directory.kernel.mkdir("d", { mode: 0o2755 });
  directory.kernel.setattr(d, 1, { mode: 0o042755 });
  assertEquals(directory.kernel.setattr(d, 4, { gid: 5 }).mode, 0o042755);
});

Deno.test("setattr() takes them away with a new size if the kernel says so", () => {
  const { kernel, node } = kernelWith(0o106755);
  assertEquals(kernel.setattr(node, 8, { size: 1 }, { uid: 1000 }).mode, 0o106755);
  assertEquals(kernel.setattr(node, 8 | 0x800, { size: 0 }, { uid: 0 }).mode, 0o100755);
});

Deno.test("setattr() takes them away with a new size by all users but root on an older kernel", () => {
  const { kernel, node } = kernelWith(0o106755, OLD_OFFER);
  assertEquals(kernel.setattr(node, 8, { size: 1 }, { uid: 0 }).mode, 0o106755);
  assertEquals(kernel.setattr(node, 8, { size: 0 }, { uid: 1000 }).mode, 0o100755);
});

Deno.test("dropPrivileges() follows a write by an unprivileged user", () => {
  const { volume, kernel, node } = kernelWith(0o106755);
  kernel.write(node, "a", 0, { flags: 0 });
  assertEquals(kernel.getattr(node).mode, 0o106755);
  kernel.write(node, "a", 0, { flags: 4 });
  assertEquals(kernel.getattr(node).mode, 0o100755);
  const asked = volume.calls.get("getattr");
  kernel.write(node, "a", 0, { flags: 4 });
  assertEquals(volume.calls.get("getattr"), asked, "an ordinary file costs no look");
  const old = kernelWith(0o104755, OLD_OFFER);
  old.kernel.write(old.node, "a", 0, { uid: 0 });
  assertEquals(old.kernel.getattr(old.node).mode, 0o104755);
  old.kernel.write(old.node, "a", 0, { uid: 1000 });
  assertEquals(old.kernel.getattr(old.node).mode, 0o100755);
});

Deno.test("setattr() without a change takes setuid away for a user who is not root", () => {
  const volume = new ModelVolume();
  const kernel = new FakeKernel(volume);
  kernel.init();
  const { node } = kernel.create("a", { mode: 0o106755 });
  kernel.server.sync();
  assertEquals(kernel.setattr(node, 0, {}, { uid: 0 }).mode, 0o106755);
  assertEquals([volume.calls.get("setattr") ?? 0, kernel.server.isDirty], [0, false]);
  assertEquals(kernel.setattr(node, 0, {}, { uid: 1000 }).mode, 0o100755);
  assertEquals(kernel.getattr(node).mode, 0o100755);
});
