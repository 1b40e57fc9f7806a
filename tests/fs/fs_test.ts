/** FS as a class, and what concerns all calls. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { AT_CALLS } from "../../fs/at_calls.ts";
import { ATTR_CALLS } from "../../fs/attr_calls.ts";
import { createFS } from "../../fs/create_fs.ts";
import { DESCRIPTOR_CALLS } from "../../fs/descriptor_calls.ts";
import { DEVICE_CALLS } from "../../fs/devices.ts";
import { FS } from "../../fs/fs.ts";
import { LEGACY } from "../../fs/legacy.ts";
import { LEGACY_NODES } from "../../fs/legacy_nodes.ts";
import { LOCK_CALLS } from "../../fs/lock_calls.ts";
import { MAKERS } from "../../fs/makers.ts";
import { MOUNT_CALLS } from "../../fs/mount_calls.ts";
import { NODE_CALLS } from "../../fs/node_calls.ts";
import { RANGE_CALLS } from "../../fs/range_calls.ts";
import { START_CALLS } from "../../fs/start_calls.ts";
import { State } from "../../fs/state.ts";
import { STREAM_CALLS } from "../../fs/stream_calls.ts";
import { WHOLE_FILE } from "../../fs/whole_file.ts";
import { XATTR_CALLS } from "../../fs/xattr_calls.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { assertErrno } from "../support/errno.ts";

Deno.test("trackingDelegate and readFiles get notice", () => {
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

Deno.test("trackingDelegate takes members one by one, and gets no notice of what is refused", () => {
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

/** A class of a program's own. */
class Counting extends FS {
  writes = 0;

  override write(...args: Parameters<FS["write"]>): number {
    this.writes++;
    return super.write(...args);
  }
}

Deno.test("a class that extends FS is what the other calls use", () => {
  const fs = new Counting();
  fs.mount(MEMFS, {}, "/");
  fs.writeFile("/f", "abc");
  fs.write(fs.open("/g", "w"), new Uint8Array(2), 0, 4);
  assertEquals([fs.writes, fs.stat("/g").size, fs.readFile("/f").length], [3, 4, 3]);
});

Deno.test("a call that is replaced on an instance is what the other calls use", () => {
  const fs = createFS();
  const { write, close } = fs;
  const calls: string[] = [];
  fs.write = function (...args) {
    calls.push("write");
    return write.apply(this, args);
  };
  fs.close = (stream) => {
    calls.push("close");
    close.call(fs, stream);
  };
  fs.writeFile("/f", "abc");
  fs.open("/f", "r");
  fs.quit();
  assertEquals(calls, ["write", "close", "close"]);
});

Deno.test("calls are no fields: keys of an instance are what it knows, for..in too", () => {
  const fs = createFS();
  const listed: string[] = [];
  for (const key in fs) listed.push(key);
  assertEquals(listed, Object.keys(fs));
  const known = listed.filter((key) => typeof Reflect.get(fs, key) === "function");
  assertEquals(known, ["clock", "ErrnoError", "FSNode", "FSStream"]);
  assertEquals([fs.write.name, fs.write.length, fs.create.length], ["write", 6, 1]);
  assert(fs instanceof State && fs instanceof FS && fs.constructor === FS);
  // A call goes with any instance, but with none it knows nothing.
  assertThrows(() => (0, fs.stat)("/"), TypeError);
});

Deno.test("no two groups of calls have one name", () => {
  const groups = [NODE_CALLS, ATTR_CALLS, XATTR_CALLS, STREAM_CALLS, DESCRIPTOR_CALLS, LOCK_CALLS];
  const more = [RANGE_CALLS, AT_CALLS, WHOLE_FILE, MOUNT_CALLS, DEVICE_CALLS, LEGACY, LEGACY_NODES];
  const names = [...groups, ...more, MAKERS, START_CALLS].flatMap((group) => Object.keys(group));
  assertEquals(names.filter((name, index) => names.indexOf(name) !== index), []);
  assertEquals(names.filter((name) => name in State.prototype), []);
  const fs: object = new FS();
  assertEquals(names.filter((name) => typeof Reflect.get(fs, name) !== "function"), []);
});
