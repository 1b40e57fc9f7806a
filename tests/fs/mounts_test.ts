/** Mounting and unmounting. */
import { assertEquals, assertStrictEquals } from "@std/assert";
import type { Backend } from "../../abi/node.ts";
import { createFS } from "../../fs/create_fs.ts";
import { mountAt, unmountAt } from "../../fs/mounts.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { assertErrno } from "../support/errno.ts";

function make() {
  const fs = createFS();
  fs.mkdir("/m");
  fs.writeFile("/m/below", "covered");
  return fs;
}

Deno.test("mountAt() covers a directory, and unmountAt() shows it again", () => {
  const fs = make();
  fs.mount(MEMFS, {}, "/m");
  assertEquals(fs.readdir("/m"), [".", ".."]);
  fs.writeFile("/m/above", "");
  fs.unmount("/m");
  assertEquals(fs.readdir("/m"), [".", "..", "below"]);
  assertErrno("ENOENT", () => fs.stat("/m/above"));
});

Deno.test("mountAt() refuses files, missing names, and what is mounted already", () => {
  const fs = make();
  assertErrno("ENOTDIR", () => fs.mount(MEMFS, {}, "/m/below"));
  assertErrno("ENOENT", () => fs.mount(MEMFS, {}, "/none"));
  assertErrno("EBUSY", () => fs.mount(MEMFS, {}, "/"));
  assertErrno("EBUSY", () => fs.mount(MEMFS, {}, "/dev"));
  assertErrno("EINVAL", () => fs.mount(null as never, {}, "/m"));
});

Deno.test("unmountAt() is EBUSY while a stream, a mount or the current directory is inside", () => {
  const fs = make();
  fs.mount(MEMFS, {}, "/m");
  const stream = fs.open("/m/f", "w");
  assertErrno("EBUSY", () => fs.unmount("/m"));
  fs.close(stream);
  fs.mkdir("/m/inner");
  fs.mount(MEMFS, {}, "/m/inner");
  assertErrno("EBUSY", () => fs.unmount("/m"));
  fs.unmount("/m/inner");
  fs.chdir("/m");
  assertErrno("EBUSY", () => fs.unmount("/m"));
  fs.chdir("/");
  fs.unmount("/m");
  assertErrno("EINVAL", () => fs.unmount("/m"));
  assertErrno("EINVAL", () => fs.unmount("/"));
});

Deno.test("unmountAt() by force takes the inner mounts too, and open files go on", () => {
  const fs = make();
  fs.mount(MEMFS, {}, "/m");
  fs.mkdir("/m/inner");
  fs.mount(MEMFS, {}, "/m/inner");
  const stream = fs.open("/m/inner/f", "w+");
  fs.chdir("/m/inner");
  const mounts = fs.getMounts().length;
  unmountAt(fs, "/m", true);
  assertEquals([fs.getMounts().length, fs.cwd()], [mounts - 2, "/"]);
  assertEquals(fs.write(stream, new Uint8Array(3), 0, 3), 3);
  fs.close(stream);
});

Deno.test("a type gets notice when it is unmounted, and getMounts() lists what is below", () => {
  const fs = make();
  const gone: unknown[] = [];
  const type: Backend<object> = {
    name: "TOLD",
    mount: () => MEMFS.mount({}) as never,
    unmount: (root) => void gone.push(root),
  };
  const root = mountAt(fs, type as Backend<unknown>, {}, "/m");
  fs.mkdir("/m/inner");
  const inner = fs.mount(MEMFS, {}, "/m/inner");
  assertEquals(fs.getMounts(root.mount).map((mount) => mount.root), [root, inner]);
  fs.unmount("/m/inner");
  fs.unmount("/m");
  assertStrictEquals(gone[0], root);
});

Deno.test("each mount has a device number of its own, and inode numbers are its business", () => {
  const fs = make();
  fs.mkdir("/n");
  fs.mount(MEMFS, {}, "/m");
  fs.mount(MEMFS, {}, "/n");
  const stats = ["/", "/m", "/n"].map((path) => fs.stat(path));
  assertEquals(new Set(stats.map(({ dev }) => dev)).size, 3);
  assertEquals(stats[1]!.ino, stats[2]!.ino);
});
