/** Start and end of a program. */
import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import { assertErrno } from "../support/errno.ts";

Deno.test("init() makes the standard streams from callbacks, quit() closes them", () => {
  const fs = createFS();
  const input = [104, 105, null];
  const output: (number | null)[] = [];
  fs.init(() => input.shift() ?? null, (byte) => output.push(byte), (byte) => output.push(byte));
  const bytes = new Uint8Array(9);
  assertEquals(fs.read(fs.getStreamChecked(0), bytes, 0, 9), 2);
  fs.write(fs.getStreamChecked(1), new Uint8Array([65]), 0, 1);
  fs.write(fs.getStreamChecked(2), new Uint8Array([66]), 0, 1);
  assertEquals([[...bytes.subarray(0, 2)], output.slice(0, 2)], [[104, 105], [65, 66]]);
  assertEquals([fs.open("/tmp/x", "w").fd, fs.initialized], [3, true]);
  assertErrno("EALREADY", () => fs.init());
  fs.quit();
  assertEquals([fs.nextfd(), fs.initialized], [0, false]);
});

Deno.test("init() without callbacks opens the terminals", () => {
  const lines: string[] = [];
  const fs = createFS({
    terminal: { stdout: (byte) => lines.push(byte === null ? "|" : String.fromCharCode(byte)) },
  });
  fs.init();
  fs.write(fs.getStreamChecked(1), new TextEncoder().encode("ok\n"), 0, 3);
  assertEquals(lines.slice(0, 3).join(""), "ok\n");
  assertEquals(fs.readlink("/dev/stdout"), "/dev/tty");
});

Deno.test("init() with descriptors open already is EBUSY and opens nothing", () => {
  const fs = createFS();
  fs.open("/tmp/x", "w");
  assertErrno("EBUSY", () => fs.init());
  assertEquals(fs.nextfd(), 1);
});
