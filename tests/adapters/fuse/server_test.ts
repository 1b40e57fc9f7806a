import { ErrnoError } from "../../../mod.ts";
import { assertEquals } from "@std/assert";
import { ModelVolume } from "../../support/model_volume.ts";
import { EVERY_OFFER, FakeKernel, OP, text, u32, u64 } from "./fake_kernel.ts";

const EIO = 5;
const ENOTTY = 25;
const ENOSYS = 38;
const EPROTO = 71;

const DONT_MASK = 1 << 6;
const WRITEBACK_CACHE = 1 << 16;
const HANDLE_KILLPRIV = 1 << 19;
const POSIX_ACL = 1 << 20;
const MAX_PAGES = 1 << 22;
const HANDLE_KILLPRIV_V2 = 1 << 28;

Deno.test("FuseServer shakes hands with version, sizes and flags", () => {
  const fields = new FakeKernel(new ModelVolume()).init();
  assertEquals([fields.u32(), fields.u32(), fields.u32()], [7, 38, 131072]);
  const flags = fields.u32();
  assertEquals(flags & DONT_MASK, DONT_MASK);
  assertEquals(flags & MAX_PAGES, MAX_PAGES);
  assertEquals(flags & (WRITEBACK_CACHE | POSIX_ACL), 0);
  assertEquals([fields.u16(), fields.u16()], [64, 48]);
  assertEquals([fields.u32(), fields.u32(), fields.u16()], [1024 * 1024, 1000, 256]);
  assertEquals(fields.left, 64 - 30);
});

Deno.test("FuseServer takes no flag that was not offered, and one way to take setuid away", () => {
  for (
    const [offered, taken] of [
      [0, 0],
      [EVERY_OFFER, HANDLE_KILLPRIV_V2],
      [HANDLE_KILLPRIV | DONT_MASK, HANDLE_KILLPRIV],
    ] as const
  ) {
    const fields = new FakeKernel(new ModelVolume()).init({ flags: offered });
    fields.skip(12);
    const flags = fields.u32();
    assertEquals(flags & ~offered, 0);
    assertEquals(flags & (HANDLE_KILLPRIV | HANDLE_KILLPRIV_V2), taken);
  }
});

Deno.test("FuseServer refuses kernels that are too old and lets newer ones ask again", () => {
  const kernel = new FakeKernel(new ModelVolume());
  const body = (major: number, minor: number) => [u32(major), u32(minor), u64(0)];
  assertEquals(kernel.fails(OP.INIT, { body: body(7, 27) }), EPROTO);
  assertEquals(kernel.fails(OP.INIT, { body: body(6, 99) }), EPROTO);
  const fields = kernel.ok(OP.INIT, { body: body(8, 0) });
  assertEquals([fields.u32(), fields.u32(), fields.u32(), fields.u32()], [7, 38, 0, 0]);
});

Deno.test("FuseServer leaves to the kernel what needs no server", () => {
  const kernel = new FakeKernel(new ModelVolume());
  for (const opcode of [OP.OPEN, OP.OPENDIR, 18, 25, 29, 31, 32, 33, 34, 37, 40, 48, 52, 999]) {
    assertEquals(kernel.fails(opcode, { body: [u64(0), u64(0), u64(0)] }), ENOSYS);
  }
  assertEquals(kernel.fails(OP.IOCTL, { body: [u64(0)] }), ENOTTY);
});

Deno.test("FuseServer answers neither FORGET nor INTERRUPT, not even with a failure", () => {
  const kernel = new FakeKernel(new ModelVolume());
  assertEquals(kernel.send(OP.INTERRUPT, { body: [u64(2)] }).length, 0);
  assertEquals(kernel.send(OP.FORGET, { node: 99, body: [u64(1)] }).length, 0);
});

Deno.test("FuseServer answers EIO for a mistake of ours and reports it", () => {
  const reported: unknown[] = [];
  const volume = new ModelVolume();
  const broken = new TypeError("seeded");
  volume.lookup = () => {
    throw broken;
  };
  const kernel = new FakeKernel(volume, { report: (error) => void reported.push(error) });
  assertEquals(kernel.fails(OP.LOOKUP, { body: [text("a")] }), EIO);
  assertEquals(reported, [broken]);
});

Deno.test("FuseServer reports why it answers EIO, and no other failure", () => {
  const reported: unknown[] = [];
  const volume = new ModelVolume();
  const kernel = new FakeKernel(volume, { report: (error) => void reported.push(error) });
  kernel.fails(OP.UNLINK, { body: [text("none")] });
  assertEquals(reported, []);
  const broken = new ErrnoError("EIO", "go on: V11");
  volume.lookup = () => {
    throw broken;
  };
  assertEquals(kernel.fails(OP.LOOKUP, { body: [text("a")] }), EIO);
  assertEquals(reported, [broken]);
});

Deno.test("FuseServer says when something is not durable yet", () => {
  const kernel = new FakeKernel(new ModelVolume());
  assertEquals(kernel.server.isDirty, false);
  kernel.getattr(1);
  assertEquals(kernel.server.isDirty, false);
  kernel.mkdir("d");
  assertEquals(kernel.server.isDirty, true);
  kernel.server.sync();
  assertEquals(kernel.server.isDirty, false);
  for (const [opcode, body] of [[OP.UNLINK, "a"], [OP.RMDIR, "d"]] as const) {
    kernel.create("a");
    kernel.server.sync();
    kernel.ok(opcode, { body: [text(body)] });
    assertEquals(kernel.server.isDirty, true, `opcode ${opcode}`);
  }
});

Deno.test("FuseServer.close() lets go of everything that the kernel held", () => {
  const volume = new ModelVolume();
  const kernel = new FakeKernel(volume);
  kernel.create("a");
  kernel.lookup("a");
  volume.unlink(volume.root, "a");
  assertEquals(volume.inodeCount, 2);
  kernel.server.close();
  assertEquals([volume.inodeCount, kernel.server.knownInodes], [1, 0]);
});
