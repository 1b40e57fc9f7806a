/** Space of what is mounted, and making it durable. */
import { assertEquals } from "@std/assert";
import type { Backend } from "../../abi/node.ts";
import { createFS } from "../../fs/create_fs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { assertErrno } from "../support/errno.ts";

Deno.test("statfs() returns space in both spellings, and whether it is read-only", () => {
  const fs = createFS();
  fs.mkdir("/m");
  fs.mount(MEMFS, { maxBytes: 1 << 20 }, "/m", { readOnly: true });
  const space = fs.statfs("/m");
  assertEquals(space.blocks * space.blockSize, 1 << 20);
  assertEquals([space.bsize, space.bfree, space.flags], [space.blockSize, space.freeBlocks, 1]);
  assertEquals(fs.statfsStream(fs.open("/m", "r")).fsid, fs.stat("/m").dev);
  assertEquals(fs.statfsNode(fs.root!).flags, 0);
});

Deno.test("syncfs() and sync() reach every mount, the first error wins", async () => {
  const fs = createFS();
  const calls: string[] = [];
  const type = (name: string, fails: boolean): Backend<object> => ({
    name,
    mount: () => MEMFS.mount({}) as never,
    syncfs: () => {
      calls.push(name);
      if (fails) throw new fs.ErrnoError("EIO", `sync ${name}`);
    },
  });
  for (const [name, fails] of [["good", false], ["bad", true], ["also", false]] as const) {
    fs.mkdir(`/${name}`);
    fs.mount(type(name, fails), {}, `/${name}`);
  }
  const error = await new Promise((resolve) => fs.syncfs(false, resolve));
  assertEquals([(error as Error).message, calls], ["EIO: cannot sync bad", [
    "good",
    "bad",
    "also",
  ]]);
  assertEquals(await new Promise((resolve) => fs.syncfs(true, resolve)), null);
  assertErrno("EIO", () => fs.sync());
  assertErrno("EINVAL", () => fs.syncfs(false));
});
