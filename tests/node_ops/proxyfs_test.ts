import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
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
