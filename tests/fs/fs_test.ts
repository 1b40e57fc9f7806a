/** Start, end and everything between. */
import { assertEquals } from "@std/assert";
import type { Backend } from "../../abi/node.ts";
import { createFS } from "../../fs/create_fs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
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

Deno.test("syncfs() and sync() reach every mount, the first error wins", async () => {
  const fs = createFS();
  const calls: string[] = [];
  const type = (name: string, fails: boolean): Backend<object> => ({
    name,
    mount: () => MEMFS.mount({}) as never,
    syncfs: () => {
      calls.push(name);
      if (fails) throw new fs.ErrnoError("EIO", `sync ${name}`);
    },
  });
  for (const [name, fails] of [["good", false], ["bad", true], ["also", false]] as const) {
    fs.mkdir(`/${name}`);
    fs.mount(type(name, fails), {}, `/${name}`);
  }
  const error = await new Promise((resolve) => fs.syncfs(false, resolve));
  assertEquals([(error as Error).message, calls], ["EIO: cannot sync bad", [
    "good",
    "bad",
    "also",
  ]]);
  assertEquals(await new Promise((resolve) => fs.syncfs(true, resolve)), null);
  assertErrno("EIO", () => fs.sync());
  assertErrno("EINVAL", () => fs.syncfs(false));
});

Deno.test("trackingDelegate and readFiles are told", () => {
  const fs = createFS();
  const told: string[] = [];
  const note = (name: string) => (...args: unknown[]) =>
    void told.push(`${name} ${args.join(" ")}`);
  fs.trackingDelegate = {
    willMovePath: note("will-move"),
    onMovePath: note("moved"),
    willDeletePath: note("will-delete"),
    onDeletePath: note("deleted"),
    onOpenFile: note("open"),
    onReadFile: note("read"),
    onWriteToFile: note("write"),
    onSeekFile: note("seek"),
    onCloseFile: note("close"),
    onMakeDirectory: note("mkdir"),
    onMakeSymlink: note("symlink"),
  };
  fs.readFiles = {};
  fs.mkdir("/d", 0o700);
  const stream = fs.open("/d/f", "w+");
  fs.write(stream, new Uint8Array(3), 0, 3);
  fs.llseek(stream, 0, 0);
  fs.read(stream, new Uint8Array(9), 0, 9);
  fs.close(stream);
  fs.rename("/d/f", "/d/g");
  fs.symlink("g", "/d/l");
  fs.unlink("/d/l");
  fs.unlink("/d/g");
  fs.rmdir("/d");
  assertEquals(told, [
    "mkdir /d 16832",
    "open /d/f 578",
    "write /d/f 3",
    "seek /d/f 0 0",
    "read /d/f 3",
    "close /d/f",
    "will-move /d/f /d/g",
    "moved /d/f /d/g",
    "symlink g /d/l",
    "will-delete /d/l",
    "deleted /d/l",
    "will-delete /d/g",
    "deleted /d/g",
    "will-delete /d",
    "deleted /d",
  ]);
  assertEquals(fs.readFiles, { "/d/f": 1 });
});

Deno.test("trackingDelegate takes members one by one, and is told of nothing that is refused", () => {
  const fs = createFS();
  const told: string[] = [];
  fs.trackingDelegate.willDeletePath = (path) => void told.push(`delete ${path}`);
  fs.trackingDelegate.willMovePath = (from, to) => void told.push(`move ${from} ${to}`);
  fs.trackingDelegate.onMakeDirectory = (path) => void told.push(`mkdir ${path}`);
  fs.writeFile("/f", "");
  assertErrno("EISDIR", () => fs.unlink("/tmp"));
  assertErrno("ENOTDIR", () => fs.rmdir("/f"));
  assertErrno("ENOENT", () => fs.rename("/none", "/f"));
  assertErrno("EEXIST", () => fs.mkdir("/tmp"));
  fs.rename("/f", "/f");
  assertEquals(told, []);
  fs.mkdirat(fs.open("/tmp", "r"), "d");
  fs.renameat(-100, "/tmp/d", -100, "/tmp/e");
  fs.unlinkat(-100, "/tmp/e", 0x200);
  assertEquals(told, ["mkdir /tmp/d", "move /tmp/d /tmp/e", "delete /tmp/e"]);
  fs.trackingDelegate = null;
  fs.rmdir("/home/web_user");
  assertEquals(told.length, 3);
});

Deno.test("readFiles names what was opened to read", () => {
  const fs = createFS();
  fs.readFiles = {};
  fs.close(fs.open("/w", "w"));
  fs.close(fs.open("/a", "a"));
  assertEquals(fs.readFiles, {});
  fs.close(fs.open("/a", "a+"));
  fs.close(fs.open("/w", "r"));
  assertEquals(fs.readFiles, { "/a": 1, "/w": 1 });
});

Deno.test("ignorePermissions lets every user do everything", () => {
  const fs = createFS({ credentials: { uid: 7, gid: 7 } });
  assertErrno("EACCES", () => fs.mkdir("/x"));
  fs.ignorePermissions = true;
  fs.mkdir("/x");
  fs.chmod("/x", 0);
  fs.chown("/x", 9, 9);
  fs.writeFile("/x/y", "");
  fs.ignorePermissions = false;
  assertErrno("EACCES", () => fs.stat("/x/y"));
});

Deno.test("registerDevice() refuses what is no number, getDevice() finds it", () => {
  const fs = createFS();
  const ops = {};
  fs.registerDevice(fs.makedev(70, 1), ops);
  assertEquals(fs.getDevice(fs.makedev(70, 1))?.stream_ops, ops);
  assertErrno("EINVAL", () => fs.registerDevice("x" as never, ops));
  assertEquals([fs.major(0x1203), fs.minor(0x1203)], [0x12, 3]);
});
