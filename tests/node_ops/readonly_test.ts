import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import type { Backend } from "../../abi/node.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { readOnly } from "../../node_ops/readonly.ts";
import { assertErrno } from "../support/errno.ts";

/** A read-only mount of something that was written before. */
function fixed(): FS {
  const fs = createFS();
  const root = MEMFS.mount({});
  const type: Backend<unknown> = { name: "SAME", mount: () => root };
  fs.mkdir("/m");
  fs.mount(type, {}, "/m");
  fs.mkdir("/m/d");
  fs.writeFile("/m/d/f", "text");
  fs.symlink("d/f", "/m/l");
  fs.unmount("/m");
  fs.mount(readOnly(type), {}, "/m");
  return fs;
}

Deno.test("readOnly() reads everything", () => {
  const fs = fixed();
  assertEquals(fs.readdir("/m"), [".", "..", "d", "l"]);
  assertEquals(fs.readFile("/m/l", { encoding: "utf8" }), "text");
  assertEquals(fs.stat("/m/d").nlink, 2);
});

Deno.test("readOnly() refuses every change with EROFS", () => {
  const fs = fixed();
  const changes: (() => unknown)[] = [
    () => fs.open("/m/d/f", "r+"),
    () => fs.open("/m/d/f", "w"),
    () => fs.open("/m/new", "w"),
    () => fs.mkdir("/m/new"),
    () => fs.rmdir("/m/d"),
    () => fs.unlink("/m/l"),
    () => fs.rename("/m/l", "/m/k"),
    () => fs.link("/m/d/f", "/m/k"),
    () => fs.symlink("x", "/m/k"),
    () => fs.mknod("/m/k", 0o010644, 0),
    () => fs.chmod("/m/d/f", 0o600),
    () => fs.chown("/m/d/f", 1, 1),
    () => fs.utime("/m/d/f", 1, 1),
    () => fs.truncate("/m/d/f", 0),
    () => fs.setxattr("/m/d/f", "user.a", new Uint8Array(1)),
  ];
  for (const change of changes) assertErrno("EROFS", change);
  assertEquals(fs.readFile("/m/l", { encoding: "utf8" }), "text");
});

Deno.test("readOnly() keeps the name and lets go of the backend's mount", () => {
  let unmounted = 0;
  const type = { ...MEMFS, unmount: () => unmounted++ };
  const fs = createFS();
  fs.mkdir("/m");
  assertEquals(readOnly(type).name, "MEMFS (read-only)");
  fs.mount(readOnly(type), {}, "/m");
  fs.unmount("/m");
  assertEquals(unmounted, 1);
});
