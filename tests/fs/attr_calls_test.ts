/** Attributes by path. */
import { assert, assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";

Deno.test("stat() and lstat() follow or not, and distinguish mounts", () => {
  const fs = createFS();
  fs.writeFile("/f", "abc");
  fs.symlink("f", "/l");
  assertEquals([fs.stat("/l").size, fs.lstat("/l").size, fs.stat("/l", true).size], [3, 1, 1]);
  assert(fs.stat("/").dev !== fs.stat("/dev").dev);
  assertEquals(fs.stat(fs.findObject("/f")!).size, 3);
});

Deno.test("chmod(), chown(), utime() take dontFollow, truncate() a node", () => {
  const fs = createFS();
  fs.writeFile("/f", "abc");
  fs.symlink("f", "/l");
  fs.lchown("/l", 3, 4);
  fs.chown("/l", 5, 6);
  assertEquals([fs.lstat("/l").uid, fs.stat("/f").uid], [3, 5]);
  fs.lchmod("/l", 0o700);
  fs.chmod("/l", 0o600);
  assertEquals([fs.lstat("/l").mode, fs.stat("/f").mode], [0o120700, 0o100600]);
  fs.utime("/l", 1000, new Date(2000));
  fs.utime("/l", null, 5000, true);
  fs.lutimens("/l", [7, 0], [0, -2]);
  assertEquals([fs.stat("/f").atimeMs, fs.stat("/f").mtimeMs], [1000, 2000]);
  assertEquals([fs.lstat("/l").atimeMs, fs.lstat("/l").mtimeMs], [7000, 5000]);
  fs.truncate(fs.findObject("/f")!, 1);
  assertEquals(fs.stat("/f").size, 1);
});
