/** Who hears of changes. */
import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import { Watchers } from "../../fs/watch.ts";
import { assertErrno } from "../support/errno.ts";

function heardAt(path: string, work: (fs: ReturnType<typeof createFS>) => void): string[] {
  const fs = createFS();
  fs.mkdir("/d");
  fs.writeFile("/d/old", "x");
  const heard: string[] = [];
  const watch = fs.watch(path, ({ type, name }) => heard.push(`${type} ${name}`));
  work(fs);
  watch.close();
  fs.writeFile("/d/after", "");
  assertEquals(fs.watchers.size, 0);
  return heard;
}

Deno.test("a watch on a directory hears of its entries", () => {
  const heard = heardAt("/d", (fs) => {
    fs.writeFile("/d/new", "x");
    fs.chmod("/d/new", 0o600);
    fs.symlink("x", "/d/link");
    fs.rename("/d/new", "/d/newer");
    fs.unlink("/d/newer");
    fs.mkdir("/d/sub");
    fs.writeFile("/d/sub/deep", "unheard");
    fs.rmdir("/tmp");
  });
  assertEquals(heard, [
    "create new",
    "modify new",
    "attrib new",
    "create link",
    "delete new",
    "rename newer",
    "delete newer",
    "create sub",
  ]);
});

Deno.test("a watch on a file hears of the file, through any name", () => {
  const heard = heardAt("/d/old", (fs) => {
    fs.link("/d/old", "/other");
    fs.truncate("/other", 0);
    fs.setxattr("/other", "user.x", new Uint8Array(1));
    fs.unlink("/other");
  });
  assertEquals(heard, ["create null", "modify null", "attrib null", "delete null"]);
});

Deno.test("Watchers.add() counts, and close() may be called twice", () => {
  const fs = createFS();
  const watchers = new Watchers();
  const one = watchers.add(fs.root!, () => {});
  watchers.add(fs.root!, () => {});
  one.close();
  one.close();
  assertEquals(watchers.size, 1);
  assertErrno("EINVAL", () => fs.watch("/", null as never));
  assertErrno("ENOENT", () => fs.watch("/none", () => {}));
});

Deno.test("a listener may close its own watch", () => {
  const fs = createFS();
  let heard = 0;
  const watch = fs.watch("/tmp", () => {
    heard++;
    watch.close();
  });
  fs.writeFile("/tmp/a", "");
  fs.writeFile("/tmp/b", "");
  assertEquals(heard, 1);
});
