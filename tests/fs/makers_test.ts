/** Emscripten's file makers. */
import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import { assertErrno } from "../support/errno.ts";

const text = (fs: ReturnType<typeof createFS>, path: string) =>
  fs.readFile(path, { encoding: "utf8" });

Deno.test("createPath() makes what is missing below the parent", () => {
  const fs = createFS();
  assertEquals(fs.createPath("/tmp", "a/b", true, true), "/tmp/a/b");
  assertEquals(fs.createPath(fs.findObject("/tmp")!, "a/c"), "/tmp/a/c");
  assertEquals(fs.createPath("/tmp/", "/a//c"), "/tmp/a/c");
  assertEquals(fs.readdir("/tmp/a"), [".", "..", "b", "c"]);
});

Deno.test("createDataFile() takes text, bytes and lists, whatever the mode", () => {
  const fs = createFS();
  fs.createDataFile("/", "text", "gr\u00fc\u01fc", true, false);
  fs.createDataFile("/tmp", "bytes", new Uint8Array([1, 2]), true, true, true);
  fs.createDataFile("/tmp", "list", [3, 4], true, true);
  fs.createDataFile("/tmp/whole", null, "by path");
  fs.createDataFile("/tmp", "empty");
  assertEquals([...fs.readFile("/text")], [103, 114, 0xfc, 0xfc]);
  assertEquals(fs.stat("/text").mode & 0o777, 0o555);
  assertEquals([...fs.readFile("/tmp/bytes"), ...fs.readFile("/tmp/list")], [1, 2, 3, 4]);
  assertEquals([text(fs, "/tmp/whole"), fs.stat("/tmp/empty").size], ["by path", 0]);
  assertErrno("EEXIST", () => fs.createDataFile("/", "text", "again"));
});

Deno.test("createFile() makes an empty file with a mode from two booleans", () => {
  const fs = createFS({ credentials: { umask: 0 } });
  fs.createFile("/", "f", {}, true, false);
  assertEquals(fs.stat("/f").mode, 0o100555);
  assertEquals([fs.getMode(true, true), fs.getMode(false, false)], [0o777, 0]);
  assertEquals(fs.getMode(undefined as never, 1 as never), 0o222);
  fs.createFile("/", "g", {}, 0 as never);
  assertEquals(fs.stat("/g").mode, 0o100222);
});

Deno.test("createPreloadedFile() makes a file from data, and calls back once", async () => {
  const fs = createFS();
  const calls: string[] = [];
  await new Promise<void>((resolve) => {
    fs.createPreloadedFile(
      "/",
      "f",
      new Uint8Array([7]),
      true,
      true,
      () => {
        calls.push("load");
        resolve();
      },
      () => calls.push("error"),
      false,
      false,
      () => calls.push("finish"),
    );
  });
  assertEquals([calls, [...fs.readFile("/f")]], [["finish", "load"], [7]]);
  await new Promise<void>((resolve) => {
    fs.createPreloadedFile("/", "f", new Uint8Array([8]), true, true, null, () => resolve());
  });
});

Deno.test("preloadFile() fetches a URL, and rejects with an ErrnoError", async () => {
  const fs = createFS();
  await fs.preloadFile("/", "fetched", "data:text/plain,hello", true, true);
  assertEquals(text(fs, "/fetched"), "hello");
  let code = "";
  await fs.preloadFile("/", "x", "unknown-scheme:nothing").catch((error) => code = error.code);
  assertEquals(code, "EIO");
});

Deno.test("rmTree() removes everything, and nothing is no error", () => {
  const fs = createFS();
  fs.mkdirTree("/a/b/c");
  fs.writeFile("/a/b/f", "");
  fs.symlink("/tmp", "/a/link");
  fs.writeFile("/tmp/kept", "");
  fs.rmTree("/a");
  fs.rmTree("/a");
  assertEquals([fs.findObject("/a"), fs.stat("/tmp/kept").size], [null, 0]);
});
