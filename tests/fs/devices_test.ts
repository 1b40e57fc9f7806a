/** Devices and their drivers. */
import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import {
  DEVICE_MAJOR_BASE,
  deviceOf,
  driverOf,
  freeDevice,
  hasNoPosition,
  major,
  makedev,
  minor,
} from "../../fs/devices.ts";
import { assertErrno } from "../support/errno.ts";

Deno.test("makedev(), major() and minor() agree", () => {
  const dev = makedev(5, 17);
  assertEquals([dev, major(dev), minor(dev)], [0x511, 5, 17]);
});

Deno.test("createDevice() numbers its devices from 64 up", () => {
  const fs = createFS();
  assertEquals(major(freeDevice(fs)), DEVICE_MAJOR_BASE);
  const one = fs.createDevice("/dev", "one", () => null, null);
  const two = fs.createDevice("/dev", "two", null, () => {});
  assertEquals([major(one.rdev), major(two.rdev)], [64, 65]);
  assertEquals([one.mode & 0o777, two.mode & 0o777], [0o555, 0o222]);
});

Deno.test("a device reads until null or undefined, and is EAGAIN without a byte", () => {
  const fs = createFS();
  const bytes: (number | null | undefined)[] = [65, 66, undefined, undefined, 67, null, null];
  fs.createDevice("/dev", "in", () => bytes.shift());
  const stream = fs.open("/dev/in", "r");
  const buffer = new Uint8Array(9);
  assertEquals(fs.read(stream, buffer, 0, 9), 2);
  assertErrno("EAGAIN", () => fs.read(stream, buffer, 0, 9));
  assertEquals([fs.read(stream, buffer, 0, 9), fs.read(stream, buffer, 0, 9)], [1, 0]);
});

Deno.test("what a device throws is EIO, unless it is an ErrnoError", () => {
  const fs = createFS();
  const fails = (error: unknown) => () => {
    throw error;
  };
  fs.createDevice("/dev", "bad", fails(new Error("loose wire")), fails(new Error("too")));
  fs.createDevice("/dev", "full2", null, fails(new fs.ErrnoError("ENOSPC")));
  const stream = fs.open("/dev/bad", "r+");
  assertErrno("EIO", () => fs.read(stream, new Uint8Array(1), 0, 1));
  assertErrno("EIO", () => fs.write(stream, new Uint8Array(1), 0, 1));
  assertErrno("ENOSPC", () => fs.write(fs.open("/dev/full2", "w"), new Uint8Array(1), 0, 1));
});

Deno.test("deviceOf() ends a line that is left open when it is closed", () => {
  const heard: (number | null)[] = [];
  const output = Object.assign((byte: number | null) => void heard.push(byte), {
    buffer: [65],
  });
  deviceOf(null, output).close?.(null as never);
  assertEquals(heard, [10]);
});

Deno.test("driverOf() finds a driver whichever mount holds the node, else ENXIO", () => {
  const fs = createFS();
  fs.mknod("/tmp/null", 0o020666, makedev(1, 3));
  fs.writeFile("/tmp/null", "swallowed");
  fs.mknod("/tmp/none", 0o020666, makedev(99, 9));
  fs.mknod("/tmp/disk", 0o060666, makedev(1, 3));
  fs.mknod("/tmp/socket", 0o140666, 0);
  for (const name of ["none", "disk", "socket"]) {
    assertErrno("ENXIO", () => driverOf(fs, fs.findObject(`/tmp/${name}`)!, "open"));
  }
  assertEquals(hasNoPosition(fs.findObject("/tmp/null")!, {}), true);
  assertEquals(hasNoPosition(fs.findObject("/tmp")!, {}), false);
});

Deno.test("registerDevice() refuses what is no number, getDevice() finds it", () => {
  const fs = createFS();
  const ops = {};
  fs.registerDevice(fs.makedev(70, 1), ops);
  assertEquals(fs.getDevice(fs.makedev(70, 1))?.stream_ops, ops);
  assertErrno("EINVAL", () => fs.registerDevice("x" as never, ops));
  assertEquals([fs.major(0x1203), fs.minor(0x1203)], [0x12, 3]);
});
