/**
 * Two instances over one volume in one thread, and a program that calls the volume itself: each sees at
 * once what any of them changes, though each keeps a name table of its own. Random calls on two
 * instances are in tests/fuzz/.
 */
import { assertEquals } from "@std/assert";
import { O_CREAT, O_RDWR, RENAME_EXCHANGE } from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import { checkNames } from "../support/check_names.ts";
import { assertErrno } from "../support/errno.ts";

interface Both {
  one: FS;
  two: FS;
  volume: Volume;
}

/** Runs on two instances, checks their name tables, then the volume. */
function onBoth(run: (both: Both) => void): void {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const [one, two] = [0, 1].map(() => createFS({ root: { type: VOLUMEFS, options: { volume } } }));
  run({ one: one!, two: two!, volume });
  for (const fs of [one!, two!]) {
    assertEquals(checkNames(fs), []);
    fs.quit();
  }
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
}

/** Runs twice: the second time the two have changed places. */
function eachWay(run: (both: Both) => void): void {
  onBoth(run);
  onBoth(({ one, two, volume }) => run({ one: two, two: one, volume }));
}

function text(fs: FS, path: string): string {
  return fs.readFile(path, { encoding: "utf8" });
}

Deno.test("FS sees what another instance makes, also where it has looked in vain before", () => {
  eachWay(({ one, two }) => {
    for (const path of ["/f", "/d", "/l"]) assertErrno("ENOENT", () => two.stat(path));
    one.writeFile("/f", "made");
    one.mkdir("/d");
    one.symlink("f", "/l");
    assertEquals([text(two, "/f"), text(two, "/l")], ["made", "made"]);
    two.writeFile("/d/inside", "by the other");
    assertEquals(one.readdir("/d"), [".", "..", "inside"]);
    assertErrno("EEXIST", () => two.mkdir("/d"));
    assertErrno("EEXIST", () => two.open("/f", "wx"));
  });
});

Deno.test("FS sees another instance's bytes, appends and cuts at once", () => {
  eachWay(({ one, two }) => {
    const [left, right] = [one, two].map((fs) => fs.open("/f", O_RDWR | O_CREAT, 0o644));
    one.write(left!, new TextEncoder().encode("hello"), 0, 5);
    assertEquals([two.fstat(right!).size, text(two, "/f")], [5, "hello"]);
    two.ftruncate(right!, 2);
    assertEquals([one.fstat(left!).size, text(one, "/f")], [2, "he"]);
    const appending = two.open("/f", "a");
    one.write(left!, new Uint8Array(3), 0, 3, 7);
    two.write(appending, new Uint8Array(1), 0, 1);
    assertEquals(one.stat("/f").size, 11);
  });
});

Deno.test("FS sees another instance's unlink and rmdir, and what is made in their place", () => {
  eachWay(({ one, two }) => {
    one.writeFile("/f", "old");
    one.mkdirTree("/d/e");
    two.stat("/d/e");
    const open = two.open("/f", "r");
    one.unlink("/f");
    one.rmdir("/d/e");
    one.rmdir("/d");
    for (const path of ["/f", "/d", "/d/e"]) assertErrno("ENOENT", () => two.stat(path));
    assertEquals(two.fstat(open).nlink, 0);
    one.mkdir("/f");
    one.writeFile("/d", "a file now");
    assertEquals([two.isDir(two.stat("/f").mode), text(two, "/d")], [true, "a file now"]);
    assertErrno("ENOTDIR", () => two.stat("/d/e"));
    assertEquals(two.read(open, new Uint8Array(3), 0, 3), 3, "what is open stays");
  });
});

Deno.test("FS sees another instance's renames: over files, of directories, into each other", () => {
  eachWay(({ one, two }) => {
    one.mkdirTree("/a/b/c");
    one.writeFile("/a/b/c/f", "deep");
    one.writeFile("/x", "x");
    one.writeFile("/y", "y");
    assertEquals([text(two, "/a/b/c/f"), text(two, "/x"), text(two, "/y")], ["deep", "x", "y"]);
    one.rename("/x", "/y");
    assertErrno("ENOENT", () => two.stat("/x"));
    assertEquals(text(two, "/y"), "x");
    one.rename("/a/b", "/moved");
    assertErrno("ENOENT", () => two.stat("/a/b/c/f"));
    assertEquals(text(two, "/moved/c/f"), "deep");
    two.rename("/moved/c", "/a/c");
    assertEquals([text(one, "/a/c/f"), one.readdir("/moved").length], ["deep", 2]);
    one.rename("/a", "/y", RENAME_EXCHANGE);
    assertEquals([text(two, "/a"), text(two, "/y/c/f")], ["x", "deep"]);
  });
});

Deno.test("FS sees another instance's chmod and chown where it decides who may", () => {
  eachWay(({ one, two }) => {
    one.umask(0);
    one.mkdir("/d");
    one.writeFile("/d/f", "", { mode: 0o666 });
    const user = { uid: 1000, gid: 1000, groups: [] };
    two.setCredentials(user);
    two.access("/d/f", 2);
    one.chmod("/d", 0o700);
    assertErrno("EACCES", () => two.stat("/d/f"));
    one.chown("/d", 1000, 1000);
    two.unlink("/d/f");
    assertErrno("EACCES", () => two.writeFile("/new", ""));
    one.chmod("/", 0o777);
    two.writeFile("/new", "in the root that every user may write");
    one.chmod("/", 0o700);
    assertErrno("EACCES", () => two.stat("/new"));
  });
});

Deno.test("FS stands in a directory that another instance changes and moves", () => {
  eachWay(({ one, two }) => {
    one.mkdirTree("/a/b");
    two.chdir("/a/b");
    const stream = two.open(".", "r");
    two.setCredentials({ uid: 1000, gid: 1000, groups: [] });
    one.chmod("/a/b", 0o777);
    two.writeFile("f", "through the changed mode");
    one.rename("/a/b", "/c");
    assertEquals(text(two, "f"), "through the changed mode");
    one.chmod("/c", 0o700);
    assertErrno("EACCES", () => two.stat("f"));
    assertErrno("EACCES", () => two.fchdir(stream));
  });
});

Deno.test("FS gives up suid that another instance has just set, and chmods by the new owner", () => {
  eachWay(({ one, two }) => {
    one.writeFile("/f", "", { mode: 0o666 });
    one.chmod("/f", 0o666);
    two.setCredentials({ uid: 1000, gid: 1000, groups: [] });
    const stream = two.open("/f", "r+");
    one.chmod("/f", 0o4666);
    two.write(stream, new Uint8Array(1), 0, 1);
    assertEquals(one.stat("/f").mode & 0o7777, 0o666);
    assertErrno("EPERM", () => two.fchmod(stream, 0o600));
    one.chown("/f", 1000, 1000);
    two.fchmod(stream, 0o600);
    assertEquals(one.stat("/f").mode & 0o7777, 0o600);
  });
});

Deno.test("FS sees another instance's hard links", () => {
  eachWay(({ one, two }) => {
    one.writeFile("/f", "linked");
    assertEquals(two.stat("/f").nlink, 1);
    one.link("/f", "/g");
    assertEquals([two.stat("/f").nlink, two.stat("/g").ino], [2, one.stat("/f").ino]);
    two.chmod("/g", 0o600);
    assertEquals(one.stat("/f").mode & 0o777, 0o600);
    one.unlink("/f");
    assertErrno("ENOENT", () => two.stat("/f"));
    assertEquals([two.stat("/g").nlink, text(two, "/g")], [1, "linked"]);
  });
});

Deno.test("FS sees that one of several names leads elsewhere", () => {
  onBoth(({ one, two }) => {
    one.writeFile("/a", "linked");
    one.link("/a", "/b");
    one.writeFile("/c", "other");
    assertEquals([text(two, "/a"), text(two, "/b")], ["linked", "linked"]);
    one.rename("/c", "/b", RENAME_EXCHANGE);
    two.stat("/a");
    assertEquals(text(two, "/b"), "other", "asked for by the other name, it was still believed");
  });
});

Deno.test("FS and a program that calls the volume itself see each other's changes", () => {
  onBoth(({ one, volume }) => {
    one.mkdir("/d");
    assertErrno("ENOENT", () => one.stat("/d/f"));
    const directory = volume.lookup(volume.root, "d");
    const ino = volume.create(directory, "f", { mode: 0o100644, uid: 5, gid: 6 });
    volume.write(ino, new TextEncoder().encode("direct"), 0);
    assertEquals([text(one, "/d/f"), one.stat("/d/f").uid], ["direct", 5]);
    volume.setattr(ino, { mode: 0o600 });
    assertEquals(one.stat("/d/f").mode & 0o777, 0o600);
    volume.rename(directory, "f", volume.root, "g", 0);
    assertErrno("ENOENT", () => one.stat("/d/f"));
    one.rename("/g", "/d/h");
    assertEquals(volume.lookup(directory, "h"), ino);
    one.unlink("/d/h");
    assertEquals(volume.lookup(directory, "h"), 0);
    volume.rmdir(volume.root, "d");
    assertErrno("ENOENT", () => one.stat("/d"));
  });
});

Deno.test("what is cached below a directory that others took away goes too", () => {
  onBoth(({ one, two }) => {
    one.mkdir("/d");
    for (let index = 0; index < 200; index++) one.writeFile(`/d/f${index}`, "");
    for (let index = 0; index < 200; index++) two.stat(`/d/f${index}`);
    const before = two.names.count;
    one.rename("/d", "/e");
    assertErrno("ENOENT", () => two.stat("/d"));
    two.stat("/");
    assertEquals(two.names.count, before - 201);
  });
});
