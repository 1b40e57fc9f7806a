/** Who may do what: the answers, without any call. */
import { assertEquals } from "@std/assert";
import { Errno } from "../../abi/errno.ts";
import { O_CREAT, O_DIRECTORY, O_NOATIME, O_PATH, O_RDWR, O_TRUNC } from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { mayAccess, mayChange, mayCreate, mayDelete, mayOpen } from "../../fs/permissions.ts";
import { bitsOf, mayLookup, wantedBy } from "../../fs/permissions.ts";

function fileOf(fs: FS, mode: number, uid = 0, gid = 0) {
  fs.writeFile("/file", "");
  fs.chown("/file", uid, gid);
  fs.chmod("/file", mode);
  return fs.findObject("/file")!;
}

/** Whether a caller with these ids has each of x, w, r, as bits of one number. */
function grants(mode: number, ids: { uid: number; gid: number; groups?: number[] }): number {
  const fs = createFS();
  const node = fileOf(fs, mode, 10, 20);
  fs.setCredentials(ids);
  return [1, 2, 4].reduce((all, bit) => mayAccess(fs, node, bit) === 0 ? all | bit : all, 0);
}

Deno.test("mayAccess() looks at one class: owner, else group, else others", () => {
  for (let mode = 0; mode < 0o1000; mode++) {
    assertEquals(grants(mode, { uid: 10, gid: 20 }), mode >> 6 & 7);
    assertEquals(grants(mode, { uid: 11, gid: 20 }), mode >> 3 & 7);
    assertEquals(grants(mode, { uid: 11, gid: 1, groups: [5, 20] }), mode >> 3 & 7);
    assertEquals(grants(mode, { uid: 11, gid: 21 }), mode & 7);
    assertEquals(grants(mode, { uid: 0, gid: 0 }), mode & 0o111 ? 7 : 6);
  }
});

Deno.test("mayAccess() in Emscripten's way counts a bit of any class, for any user", () => {
  const fs = createFS({ permissions: "emscripten" });
  const node = fileOf(fs, 0o120);
  assertEquals([4, 2, 1].map((bit) => mayAccess(fs, node, bit)), [Errno.EACCES, 0, 0]);
  fs.ignorePermissions = true;
  assertEquals(mayAccess(fs, node, 4), 0);
});

Deno.test('mayAccess() says yes to everything with permissions "none"', () => {
  const fs = createFS({ permissions: "none", credentials: { uid: 5 } });
  assertEquals(mayAccess(fs, fileOf(fs, 0), 7), 0);
});

Deno.test("mayChange() is for the owner and root", () => {
  const fs = createFS();
  const node = fileOf(fs, 0o777, 10);
  assertEquals(mayChange(fs, node), 0);
  fs.setCredentials({ uid: 11 });
  assertEquals(mayChange(fs, node), Errno.EPERM);
  fs.setCredentials({ uid: 10 });
  assertEquals(mayChange(fs, node), 0);
});

Deno.test("mayDelete() heeds the sticky bit: owner of the entry, of the directory, or root", () => {
  const fs = createFS();
  fs.mkdir("/d");
  fs.chown("/d", 1, 0);
  fs.chmod("/d", 0o1777);
  fs.writeFile("/d/f", "");
  fs.chown("/d/f", 2, 0);
  const node = fs.findObject("/d/f")!;
  for (const [uid, answer] of [[0, 0], [1, 0], [2, 0], [3, Errno.EPERM]] as const) {
    fs.setCredentials({ uid });
    assertEquals(mayDelete(fs, node, false), answer, `uid ${uid}`);
  }
});

Deno.test("mayDelete() distinguishes directories from files, and keeps mountpoints", () => {
  const fs = createFS();
  fs.writeFile("/f", "");
  const dev = fs.lookupPath("/dev", { follow_mount: false }).node!;
  assertEquals(mayDelete(fs, fs.findObject("/tmp")!, false), Errno.EISDIR);
  assertEquals(mayDelete(fs, fs.findObject("/f")!, true), Errno.ENOTDIR);
  assertEquals(mayDelete(fs, dev, true), Errno.EBUSY);
  assertEquals(mayDelete(fs, fs.root!, true), Errno.EBUSY);
});

Deno.test("mayCreate() and mayLookup() want a directory that is there and may be searched", () => {
  const fs = createFS({ credentials: { umask: 0 } });
  fs.mkdir("/d", 0o733);
  fs.writeFile("/f", "");
  const directory = fs.findObject("/d")!;
  fs.setCredentials({ uid: 9 });
  assertEquals([mayCreate(fs, directory), mayLookup(fs, directory)], [0, 0]);
  assertEquals(mayLookup(fs, fs.findObject("/f")!), Errno.ENOTDIR);
  assertEquals(mayCreate(fs, fs.findObject("/f")!), Errno.ENOTDIR);
  fs.setCredentials({ uid: 0 });
  fs.chmod("/d", 0o766);
  fs.rmdir("/d");
  assertEquals(mayCreate(fs, directory), Errno.ENOENT);
  fs.setCredentials({ uid: 9 });
  assertEquals(mayLookup(fs, directory), Errno.EACCES);
});

Deno.test("mayOpen() answers in the order that Linux does", () => {
  const fs = createFS();
  const file = fileOf(fs, 0o600);
  fs.symlink("file", "/link");
  const link = fs.findObject("/link", true)!;
  const directory = fs.findObject("/tmp")!;
  assertEquals(mayOpen(fs, link, 0), Errno.ELOOP);
  assertEquals(mayOpen(fs, link, O_DIRECTORY), Errno.ENOTDIR);
  assertEquals(mayOpen(fs, link, O_PATH), 0);
  assertEquals(mayOpen(fs, directory, O_RDWR), Errno.EISDIR);
  assertEquals(mayOpen(fs, directory, O_CREAT), Errno.EISDIR);
  assertEquals(mayOpen(fs, file, O_DIRECTORY), Errno.ENOTDIR);
  fs.setCredentials({ uid: 4 });
  assertEquals(mayOpen(fs, file, 0), Errno.EACCES);
  assertEquals(mayOpen(fs, directory, O_NOATIME), Errno.EPERM);
});

Deno.test("wantedBy() and bitsOf() name the bits", () => {
  assertEquals([0, 1, 2, O_TRUNC].map(wantedBy), [4, 2, 6, 6]);
  assertEquals(["", "r", "w", "x", "rwx"].map(bitsOf), [0, 4, 2, 1, 7]);
});
