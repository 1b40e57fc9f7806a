/** Opening, beside the table of open_flags_test.ts. */
import { assert, assertEquals } from "@std/assert";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_WRONLY,
} from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import { openNode, openPath } from "../../fs/opening.ts";
import { assertErrno } from "../support/errno.ts";

Deno.test("openPath() creates through a dangling link, not with O_EXCL", () => {
  const fs = createFS();
  fs.mkdir("/d");
  fs.symlink("d/new", "/link");
  assertErrno("EEXIST", () => fs.open("/link", O_CREAT | O_EXCL | O_RDWR));
  assertErrno("ELOOP", () => fs.open("/link", O_CREAT | O_NOFOLLOW | O_RDWR));
  assertEquals(fs.open("/link", O_CREAT | O_RDWR).path, "/d/new");
  assertEquals(fs.readdir("/d"), [".", "..", "new"]);
});

Deno.test("openPath() with O_CREAT and a trailing slash is EISDIR", () => {
  const fs = createFS();
  fs.writeFile("/f", "");
  assertErrno("EISDIR", () => fs.open("/new/", O_CREAT | O_RDWR));
  assertErrno("EISDIR", () => fs.open("/tmp/", O_CREAT));
  assertErrno("EISDIR", () => fs.open("/f/", O_CREAT));
  assertErrno("ENOTDIR", () => fs.open("/f/", O_RDONLY));
  assertErrno("ENOTDIR", () => fs.open("/f", O_DIRECTORY));
});

Deno.test("openPath() makes the mode that was asked for, and opens it whatever that is", () => {
  const fs = createFS({ credentials: { uid: 4, umask: 0o077 } });
  const stream = fs.open("/tmp/x", O_CREAT | O_WRONLY, 0o400);
  fs.write(stream, new Uint8Array(3), 0, 3);
  assertEquals(fs.stat("/tmp/x").mode, 0o100400);
  assertErrno("EACCES", () => fs.open("/tmp/x", O_WRONLY));
});

Deno.test("openPath() with O_TMPFILE makes a file that has no name until it gets one", () => {
  const fs = createFS();
  const stream = fs.open("/tmp", O_TMPFILE | O_RDWR, 0o600);
  assertEquals([fs.readdir("/tmp").length, fs.fstat(stream).nlink], [2, 0]);
  fs.write(stream, new Uint8Array(5), 0, 5);
  fs.linkat(stream, "", AT_FDCWD, "/tmp/named", AT_EMPTY_PATH);
  fs.close(stream);
  assertEquals([fs.stat("/tmp/named").size, fs.stat("/tmp/named").nlink], [5, 1]);
  assertErrno("EINVAL", () => fs.open("/tmp", O_TMPFILE | O_RDONLY));
  assertErrno("ENOTDIR", () => fs.open("/tmp/named", O_TMPFILE | O_RDWR));
  assertErrno("ENOENT", () => fs.open("/none", O_TMPFILE | O_RDWR));
});

Deno.test("openPath() with O_PATH and O_NOFOLLOW opens a link itself", () => {
  const fs = createFS();
  fs.symlink("nowhere", "/link");
  const stream = openPath(fs, "/link", O_PATH | O_NOFOLLOW, 0);
  assertEquals(fs.readlinkat(stream, ""), "nowhere");
});

Deno.test("openNode() opens a node that is held, though its name is gone", () => {
  const fs = createFS();
  fs.writeFile("/f", "x");
  const held = fs.open("/f", "r");
  fs.unlink("/f");
  const again = openNode(fs, held.node, O_RDONLY, "/f");
  assertEquals(fs.fstat(again).size, 1);
  assert(fs.open(held.node, "r").node === held.node);
});

Deno.test("openNode() finds a descriptor before it cuts, and wants an access mode", () => {
  const fs = createFS({ maxOpenFds: 1 });
  fs.writeFile("/f", "kept");
  const held = fs.open("/f", "r");
  assertErrno("EMFILE", () => fs.open(held.node, "w"));
  assertEquals(fs.stat("/f").size, 4);
  assertErrno("EINVAL", () => fs.open(held.node, 3));
});
