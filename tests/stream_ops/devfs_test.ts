import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { FSStream, StreamOps } from "../../abi/node.ts";
import {
  type ByteInput,
  DEVICE,
  deviceDrivers,
  lineOutput,
  terminalOps,
} from "../../stream_ops/devfs.ts";
import { assertErrno } from "../support/errno.ts";

const stream = {} as FSStream;

function ops(dev: number): StreamOps {
  return deviceDrivers().get(dev)!;
}

function bytesOf(text: string): ByteInput {
  const bytes = [...new TextEncoder().encode(text)];
  return () => bytes.shift() ?? null;
}

Deno.test("the null device swallows and gives nothing", () => {
  const device = ops(DEVICE.null);
  assertEquals(device.read!(stream, new Uint8Array(4), 0, 4, 0), 0);
  assertEquals(device.write!(stream, new Uint8Array(4), 0, 4, 0), 4);
});

Deno.test("the zero device fills exactly the asked range", () => {
  const buffer = new Uint8Array(6).fill(1);
  assertEquals(ops(DEVICE.zero).read!(stream, buffer, 1, 4, 0), 4);
  assertEquals(buffer, new Uint8Array([1, 0, 0, 0, 0, 1]));
});

Deno.test("the full device is ENOSPC for a write and zeros for a read", () => {
  const device = ops(DEVICE.full);
  assertErrno("ENOSPC", () => device.write!(stream, new Uint8Array(1), 0, 1, 0));
  assertEquals(device.read!(stream, new Uint8Array(1), 0, 1, 0), 1);
});

Deno.test("the random devices fill private and shared memory of any length", () => {
  for (const dev of [DEVICE.random, DEVICE.urandom]) {
    for (const buffer of [new Uint8Array(70_002), new Uint8Array(new SharedArrayBuffer(70_002))]) {
      assertEquals(ops(dev).read!(stream, buffer, 1, 70_000, 0), 70_000);
      assertEquals([buffer[0], buffer[70_001]], [0, 0]);
      for (let at = 1; at < 70_000; at += 10_000) {
        assertNotEquals(buffer.slice(at, at + 16), new Uint8Array(16));
      }
    }
  }
});

Deno.test("terminalOps() reads one line at a time and then the end", () => {
  const terminal = terminalOps(bytesOf("ab\ncd"), () => {});
  const buffer = new Uint8Array(10);
  assertEquals(terminal.read!(stream, buffer, 0, 10, 0), 3);
  assertEquals(buffer.slice(0, 3), new TextEncoder().encode("ab\n"));
  assertEquals(terminal.read!(stream, buffer, 0, 10, 0), 2);
  assertEquals(terminal.read!(stream, buffer, 0, 10, 0), 0);
});

Deno.test("terminalOps() says EAGAIN when nothing has come yet, EIO when a callback fails", () => {
  const nothing = terminalOps(() => undefined, () => {});
  assertErrno("EAGAIN", () => nothing.read!(stream, new Uint8Array(1), 0, 1, 0));
  const broken = terminalOps(() => {
    throw new TypeError("no input");
  }, () => {
    throw new TypeError("no output");
  });
  assertErrno("EIO", () => broken.read!(stream, new Uint8Array(1), 0, 1, 0));
  assertErrno("EIO", () => broken.write!(stream, new Uint8Array(1), 0, 1, 0));
  assertErrno("EIO", () => broken.fsync!(stream));
});

Deno.test("terminalOps() answers the questions asked of terminals", () => {
  const terminal = terminalOps(() => null, () => {});
  assertEquals(terminal.ioctl!(stream, 0x5401, 0), 0);
  assertEquals(terminal.ioctl!(stream, 0x5413, 0), 0);
  assertErrno("EINVAL", () => terminal.ioctl!(stream, 1, 0));
  assertEquals(terminal.llseek, undefined);
});

Deno.test("lineOutput() prints whole lines, the rest when it is flushed", () => {
  const lines: string[] = [];
  const put = lineOutput((line) => lines.push(line));
  for (const byte of new TextEncoder().encode("zażółć\n\nrest")) put(byte);
  assertEquals(lines, ["zażółć", ""]);
  put(null);
  put(null);
  assertEquals(lines, ["zażółć", "", "rest"]);
});

Deno.test("deviceDrivers() joins the terminals to the given callbacks", () => {
  const out: number[] = [];
  const err: number[] = [];
  const drivers = deviceDrivers({
    stdin: bytesOf("x"),
    stdout: (byte) => byte !== null && out.push(byte),
    stderr: (byte) => byte !== null && err.push(byte),
  });
  const buffer = new Uint8Array([1]);
  drivers.get(DEVICE.tty)!.write!(stream, buffer, 0, 1, 0);
  drivers.get(DEVICE.tty1)!.write!(stream, new Uint8Array([2]), 0, 1, 0);
  assertEquals([out, err], [[1], [2]]);
  assertEquals(drivers.get(DEVICE.tty)!.read!(stream, buffer, 0, 1, 0), 1);
  assert(buffer[0] === 120);
});
