/** What an instance is made of. */
import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { assertErrno } from "../support/errno.ts";

Deno.test("createFS() makes the directories that Emscripten has", () => {
  const fs = createFS();
  assertEquals(fs.readdir("/").slice(2).sort(), ["dev", "home", "proc", "tmp"]);
  assertEquals(fs.stat("/home/web_user").mode & 0o7777, 0o777);
  assertEquals(fs.stat("/tmp").mode & 0o7777, 0o1777);
  for (const name of ["null", "tty", "tty1", "random", "urandom", "shm/tmp", "stdin"]) {
    assertEquals(fs.analyzePath(`/dev/${name}`).exists, true, name);
  }
  assertEquals(fs.readdir("/proc/self/fd"), [".", ".."]);
  assertEquals(fs.filesystems.MEMFS, MEMFS as never);
});

Deno.test("createFS() with a root makes nothing in it unless an option says so", () => {
  const bare = createFS({ root: { type: MEMFS, options: {} } });
  assertEquals([bare.readdir("/"), bare.getMounts().length], [[".", ".."], 1]);
  const full = createFS({ root: { type: MEMFS, options: {} }, standardDirectories: true });
  assertEquals(full.readdir("/").length, 6);
  const empty = createFS({ standardDirectories: false });
  assertEquals(empty.readdir("/"), [".", ".."]);
  const readOnly = createFS({ root: { type: MEMFS, options: {}, readOnly: true } });
  assertErrno("EROFS", () => readOnly.mkdir("/x"));
});

Deno.test("createFS() makes its directories for every caller, and then is the caller", () => {
  const fs = createFS({ credentials: { uid: 5, gid: 6, umask: 0o077 } });
  assertEquals(fs.credentials, { uid: 5, gid: 6, groups: [], umask: 0o077 });
  assertEquals([fs.stat("/home").uid, fs.stat("/dev").uid], [0, 0]);
  assertErrno("EACCES", () => fs.mkdir("/x"));
  fs.mkdir("/tmp/x");
  assertEquals(fs.stat("/tmp/x").uid, 5);
});

Deno.test("createFS() hands its clock to what it mounts", () => {
  let now = 5000;
  const fs = createFS({ clock: () => now });
  assertEquals([fs.stat("/tmp").mtimeMs, fs.stat("/dev").mtimeMs], [5000, 5000]);
  now = 7000;
  fs.writeFile("/f", "");
  assertEquals(fs.stat("/f").mtimeMs, 7000);
});
