import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  O_DIRECTORY,
  O_NOATIME,
  O_RDWR,
  O_TMPFILE,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
} from "../../abi/flags.ts";
import { PROXYFS } from "../../node_ops/proxyfs.ts";
import { assertErrno } from "../support/errno.ts";

function pair(): { ours: FS; theirs: FS } {
  const [ours, theirs] = [createFS(), createFS()];
  theirs.mkdir("/shared");
  ours.mkdir("/mnt");
  ours.mount(PROXYFS, { fs: theirs, path: "/shared/" }, "/mnt");
  return { ours, theirs };
}

Deno.test("PROXYFS shows the other side's directory, and what it changes", () => {
  const { ours, theirs } = pair();
  theirs.writeFile("/shared/f", "one");
  assertEquals(ours.readFile("/mnt/f", { encoding: "utf8" }), "one");
  theirs.rename("/shared/f", "/shared/g");
  assertErrno("ENOENT", () => ours.stat("/mnt/f"));
  theirs.unlink("/shared/g");
  theirs.mkdir("/shared/g");
  assertEquals(ours.stat("/mnt/g").mode & 0o170000, 0o040000);
});

Deno.test("PROXYFS follows links here: the other side's files are out of reach", () => {
  const { ours, theirs } = pair();
  theirs.writeFile("/secret", "theirs");
  theirs.symlink("/secret", "/shared/l");
  theirs.symlink("../secret", "/shared/up");
  assertErrno("ENOENT", () => ours.readFile("/mnt/l"));
  assertErrno("ENOENT", () => ours.readFile("/mnt/up"));
  ours.writeFile("/secret", "ours");
  assertEquals(ours.readFile("/mnt/l", { encoding: "utf8" }), "ours");
});

Deno.test("PROXYFS gives new files the owner and mode that were asked for", () => {
  const { ours, theirs } = pair();
  ours.chmod("/mnt", 0o777);
  ours.setCredentials({ uid: 5, gid: 6, groups: [] });
  ours.umask(0o007);
  ours.writeFile("/mnt/f", "", { mode: 0o666 });
  const { uid, gid, mode } = theirs.stat("/shared/f");
  assertEquals([uid, gid, mode & 0o777], [5, 6, 0o660]);
});

Deno.test("PROXYFS closes over there what is closed here", () => {
  const { ours, theirs } = pair();
  const stream = ours.open("/mnt/f", "w");
  const copy = ours.dup(stream);
  const before = theirs.streams.filter(Boolean).length;
  ours.close(stream);
  assertEquals(theirs.streams.filter(Boolean).length, before);
  ours.close(copy);
  assertEquals(theirs.streams.filter(Boolean).length, before - 1);
});

Deno.test("PROXYFS translates errors of another class by their number, and the rest to EIO", () => {
  const { theirs } = pair();
  const foreign = { name: "ErrnoError", errno: 2 };
  const broken = Object.create(theirs, {
    readdir: {
      value: () => {
        throw foreign;
      },
    },
    unlink: {
      value: () => {
        throw new TypeError("broken");
      },
    },
  });
  const fs = createFS();
  fs.mkdir("/mnt");
  theirs.writeFile("/shared/f", "");
  fs.mount(PROXYFS, { fs: broken, path: "/shared" }, "/mnt");
  assertErrno("EACCES", () => fs.readdir("/mnt"));
  assertErrno("EIO", () => fs.unlink("/mnt/f"));
});

Deno.test("PROXYFS.mount() wants a file system and a directory of it", () => {
  const { ours, theirs } = pair();
  ours.mkdir("/m2");
  theirs.writeFile("/f", "");
  assertErrno("EINVAL", () => ours.mount(PROXYFS, {} as never, "/m2"));
  assertErrno("ENOENT", () => ours.mount(PROXYFS, { fs: theirs, path: "/missing" }, "/m2"));
  assertErrno("ENOTDIR", () => ours.mount(PROXYFS, { fs: theirs, path: "/f" }, "/m2"));
});

/** The other side with some calls replaced, or taken away. */
function altered(fs: FS, changes: Record<string, unknown>): FS {
  return new Proxy(fs, {
    get(target, name: keyof FS) {
      if (Object.hasOwn(changes, name)) return changes[name];
      const value: unknown = target[name];
      return value instanceof Function ? value.bind(target) : value;
    },
  });
}

/** What another side need not have. */
const OPTIONAL = [
  ...["reopen", "llseek", "fallocate", "renameat", "linkat", "futimens", "lutimens"],
  ...["getxattr", "setxattr", "listxattr", "removexattr"],
];

function bare(fs: FS): FS {
  return altered(fs, Object.fromEntries(OPTIONAL.map((name) => [name, undefined])));
}

function bareMount(): { ours: FS; theirs: FS } {
  const [ours, theirs] = [createFS(), createFS()];
  ours.mkdir("/mnt");
  ours.mount(PROXYFS, { fs: bare(theirs), path: "/tmp" }, "/mnt");
  return { ours, theirs };
}

Deno.test("PROXYFS changes an open file whose name is gone, and never who took the name", () => {
  const { ours, theirs } = pair();
  ours.writeFile("/mnt/f", "12345");
  const { fd } = ours.open("/mnt/f", "r");
  ours.unlink("/mnt/f");
  ours.writeFile("/mnt/f", "another");
  const link = `/proc/self/fd/${fd}`;
  ours.truncate(link, 2);
  ours.chmod(link, 0o600);
  ours.chown(link, 7, 8);
  ours.utime(link, 1000, 2000);
  ours.close(ours.open(link, "w"));
  const { size, mode, mtimeMs, uid, gid } = ours.fstat(fd!);
  assertEquals([size, mode & 0o777, mtimeMs > 2000], [0, 0o600, true]);
  assertEquals([uid, gid, theirs.stat("/shared/f").uid], [7, 8, 0]);
  assertEquals(theirs.readFile("/shared/f", { encoding: "utf8" }), "another");
  assertEquals(theirs.stat("/shared/f").mode & 0o777, 0o644);
});

Deno.test("PROXYFS opens the inode that the walk found, or looks again", () => {
  const { ours, theirs } = pair();
  theirs.writeFile("/shared/f", "first");
  let races = 1;
  const racing = altered(theirs, {
    open(...args: Parameters<FS["open"]>) {
      if (races-- > 0) {
        theirs.rename("/shared/f", "/shared/old");
        theirs.writeFile("/shared/f", "second");
      }
      return theirs.open(...args);
    },
  });
  ours.mkdir("/racing");
  ours.mount(PROXYFS, { fs: racing, path: "/shared" }, "/racing");
  const before = theirs.streams.filter(Boolean).length;
  const stream = ours.open("/racing/f", "r");
  assertEquals(stream.node.id, ours.fstat(stream).ino);
  ours.close(stream);
  assertEquals(ours.readFile("/racing/f", { encoding: "utf8" }), "second");
  assertEquals(theirs.streams.filter(Boolean).length, before);
});

Deno.test("PROXYFS holds a file without a name open over there as long as here", () => {
  const { ours, theirs } = pair();
  const before = theirs.streams.filter(Boolean).length;
  const stream = ours.open("/mnt", O_TMPFILE | O_RDWR);
  assertEquals(theirs.streams.filter(Boolean).length, before + 1);
  ours.linkat(stream, "", AT_FDCWD, "/mnt/named", AT_EMPTY_PATH);
  ours.close(stream);
  assertEquals(theirs.streams.filter(Boolean).length, before);
  assertEquals(theirs.readdir("/shared"), [".", "..", "named"]);
});

Deno.test("PROXYFS over a file system without the optional calls does what it can", () => {
  const { ours, theirs } = bareMount();
  ours.writeFile("/mnt/a", "a");
  ours.writeFile("/mnt/b", "b");
  ours.symlink("a", "/mnt/l");
  assertErrno("EINVAL", () => ours.rename("/mnt/a", "/mnt/b", RENAME_EXCHANGE));
  assertErrno("EEXIST", () => ours.rename("/mnt/a", "/mnt/b", RENAME_NOREPLACE));
  ours.rename("/mnt/b", "/mnt/c", RENAME_NOREPLACE);
  assertEquals(theirs.readFile("/tmp/c", { encoding: "utf8" }), "b");
  ours.utime("/mnt/a", 1000, 2000);
  assertEquals([theirs.stat("/tmp/a").atimeMs, theirs.stat("/tmp/a").mtimeMs], [1000, 2000]);
  assertErrno("ENOTSUP", () => ours.lutimens("/mnt/l", [1, 0], [1, 0]));
  assertErrno("ENOTSUP", () => ours.setxattr("/mnt/a", "user.a", new Uint8Array(1)));
  const stream = ours.open("/mnt/a", "r+");
  assertErrno("ENOTSUP", () => ours.allocate(stream, 0, 10));
  assertEquals([ours.llseek(stream, 0, 3), ours.llseek(stream, 0, 4)], [0, 1]);
  ours.unlink("/mnt/a");
  assertErrno("ENOENT", () => ours.open(`/proc/self/fd/${stream.fd}`, "r"));
  ours.close(stream);
});

Deno.test("PROXYFS is ENOTSUP for O_TMPFILE where the other side does not know it", () => {
  const { ours, theirs } = pair();
  const old = altered(theirs, {
    open: (path: string, flags: number, mode?: number) =>
      theirs.open(path, flags & ~(O_TMPFILE & ~O_DIRECTORY), mode),
  });
  ours.mkdir("/old");
  ours.mount(PROXYFS, { fs: old, path: "/shared" }, "/old");
  assertErrno("ENOTSUP", () => ours.open("/old", O_TMPFILE | O_RDWR));
});

Deno.test("PROXYFS does not take another file for a node whose name is gone", () => {
  const { ours, theirs } = pair();
  ours.writeFile("/mnt/f", "first");
  const node = ours.findObject("/mnt/f")!;
  ours.unlink("/mnt/f");
  ours.writeFile("/mnt/f", "second");
  assertErrno("ENOENT", () => ours.truncate(node, 0));
  assertErrno("ENOENT", () => ours.chmod(node, 0));
  assertErrno("ENOENT", () => ours.open(node, "w"));
  assertErrno("ENOENT", () => ours.stat(node));
  assertEquals(theirs.readFile("/shared/f", { encoding: "utf8" }), "second");
  ours.mkdir("/mnt/d");
  ours.chdir("/mnt/d");
  ours.rmdir("/mnt/d");
  theirs.mkdir("/shared/d");
  theirs.writeFile("/shared/d/g", "");
  assertErrno("ENOENT", () => ours.stat("g"));
  assertErrno("ENOENT", () => ours.writeFile("h", ""));
});

Deno.test("PROXYFS moves no atime over there where it may not move here", () => {
  const { ours, theirs } = pair();
  theirs.writeFile("/shared/f", "text");
  theirs.utime("/shared/f", 5000, 6000);
  ours.mkdir("/fixed");
  ours.mount(PROXYFS, { fs: theirs, path: "/shared" }, "/fixed", { readOnly: true });
  ours.readFile("/fixed/f");
  ours.close(ours.open("/mnt/f", O_NOATIME));
  assertEquals(theirs.stat("/shared/f").atimeMs, 5000);
  theirs.setCredentials({ uid: 9 });
  assertEquals(ours.readFile("/fixed/f").length, 4);
  theirs.setCredentials({ uid: 0 });
});
