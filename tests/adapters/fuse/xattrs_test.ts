import { assertEquals } from "@std/assert";
import { ModelVolume } from "../../support/model_volume.ts";
import { FakeKernel, OP, text, u32 } from "./fake_kernel.ts";

const E2BIG = 7;
const EEXIST = 17;
const ERANGE = 34;
const ENODATA = 61;
const EILSEQ = 84;
const EINVAL = 22;
const ENOTSUP = 95;

const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;
const NOT_UTF8 = new Uint8Array([...new TextEncoder().encode("user."), 0xff, 0]);

function kernelWithFile() {
  const kernel = new FakeKernel(new ModelVolume());
  kernel.init();
  return { kernel, node: kernel.create("a").node };
}

function setting(name: string, value: string | Uint8Array, flags = 0) {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return [u32(bytes.length), u32(flags), text(name), bytes];
}

function get(kernel: FakeKernel, node: number, name: string, size = 65536) {
  const fields = kernel.ok(OP.GETXATTR, { node, body: [u32(size), u32(0), text(name)] });
  return fields.text(fields.left);
}

function list(kernel: FakeKernel, node: number, uid = 0) {
  const fields = kernel.ok(OP.LISTXATTR, { node, uid, body: [u32(65536), u32(0)] });
  return fields.text(fields.left).split("\0").slice(0, -1).sort();
}

Deno.test("setxattr(), getxattr(), listxattr() and removexattr() keep bytes by name", () => {
  const { kernel, node } = kernelWithFile();
  kernel.server.sync();
  kernel.ok(OP.SETXATTR, { node, body: setting("user.a", "one") });
  assertEquals(kernel.server.isDirty, true);
  kernel.ok(OP.SETXATTR, { node, body: setting("user.ü", "") });
  kernel.ok(OP.SETXATTR, { node, body: setting("security.c", "two") });
  assertEquals([get(kernel, node, "user.a"), get(kernel, node, "user.ü")], ["one", ""]);
  assertEquals(list(kernel, node), ["security.c", "user.a", "user.ü"]);
  kernel.server.sync();
  kernel.ok(OP.REMOVEXATTR, { node, body: [text("user.a")] });
  assertEquals([kernel.server.isDirty, list(kernel, node).length], [true, 2]);
});

Deno.test("getxattr() and listxattr() say how much room it takes, and ERANGE for too little", () => {
  const { kernel, node } = kernelWithFile();
  kernel.ok(OP.SETXATTR, { node, body: setting("user.a", "hello") });
  for (const [opcode, name, size] of [[OP.GETXATTR, "user.a", 5], [OP.LISTXATTR, "", 7]] as const) {
    const body = (room: number) => [u32(room), u32(0), text(name)];
    const asked = kernel.ok(opcode, { node, body: body(0) });
    assertEquals([asked.u32(), asked.u32(), asked.left], [size, 0, 0]);
    assertEquals(kernel.ok(opcode, { node, body: body(size) }).left, size);
    assertEquals(kernel.fails(opcode, { node, body: body(size - 1) }), ERANGE);
  }
});

Deno.test("setxattr() heeds its flags and the limit of a value", () => {
  const { kernel, node } = kernelWithFile();
  const fails = (...args: Parameters<typeof setting>) =>
    kernel.fails(OP.SETXATTR, { node, body: setting(...args) });
  assertEquals(fails("user.a", "1", XATTR_REPLACE), ENODATA);
  kernel.ok(OP.SETXATTR, { node, body: setting("user.a", "1", XATTR_CREATE) });
  assertEquals(fails("user.a", "2", XATTR_CREATE), EEXIST);
  kernel.ok(OP.SETXATTR, { node, body: setting("user.a", "3", XATTR_REPLACE) });
  assertEquals(get(kernel, node, "user.a"), "3");
  assertEquals(fails("user.b", new Uint8Array(65537)), E2BIG);
});

Deno.test("xattrs: a missing one is ENODATA, and so is one whose name is not UTF-8", () => {
  const { kernel, node } = kernelWithFile();
  for (const name of [text("user.missing"), NOT_UTF8]) {
    assertEquals(kernel.fails(OP.GETXATTR, { node, body: [u32(9), u32(0), name] }), ENODATA);
    assertEquals(kernel.fails(OP.REMOVEXATTR, { node, body: [name] }), ENODATA);
  }
  const body = [u32(1), u32(0), NOT_UTF8, new Uint8Array(1)];
  assertEquals(kernel.fails(OP.SETXATTR, { node, body }), EILSEQ);
});

Deno.test("xattrs: access control lists and unknown namespaces are ENOTSUP, and not listed", () => {
  const volume = new ModelVolume();
  const kernel = new FakeKernel(volume);
  const { node } = kernel.create("a");
  volume.setxattr(node, "system.posix_acl_access", new Uint8Array(4), 0);
  for (const name of ["system.posix_acl_access", "other.a", "plain"]) {
    assertEquals(kernel.fails(OP.SETXATTR, { node, body: setting(name, "1") }), ENOTSUP);
    const body = [u32(9), u32(0), text(name)];
    assertEquals(kernel.fails(OP.GETXATTR, { node, body }), ENOTSUP);
    assertEquals(kernel.fails(OP.REMOVEXATTR, { node, body: [text(name)] }), ENOTSUP);
  }
  assertEquals(kernel.fails(OP.SETXATTR, { node, body: setting("user.", "1") }), EINVAL);
  assertEquals(list(kernel, node), []);
});

Deno.test("listxattr() shows what is trusted to root alone", () => {
  const { kernel, node } = kernelWithFile();
  kernel.ok(OP.SETXATTR, { node, body: setting("trusted.a", "1") });
  kernel.ok(OP.SETXATTR, { node, body: setting("user.a", "1") });
  assertEquals(list(kernel, node), ["trusted.a", "user.a"]);
  assertEquals(list(kernel, node, 1000), ["user.a"]);
});
