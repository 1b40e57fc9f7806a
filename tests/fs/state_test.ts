/** What a call can see. */
import { assertEquals, assertNotStrictEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import { getPath, State } from "../../fs/state.ts";
import { assertErrno } from "../support/errno.ts";

Deno.test("setCredentials() keeps what is absent and refuses what is no id", () => {
  const state = new State({ credentials: { uid: 5, groups: [1, 2] } });
  assertEquals(state.credentials, { uid: 5, gid: 0, groups: [1, 2], umask: 0o022 });
  state.setCredentials({ gid: 9, umask: 0o7077 });
  assertEquals(state.credentials, { uid: 5, gid: 9, groups: [1, 2], umask: 0o077 });
  for (const bad of [{ uid: "0" }, { gid: 0.5 }, { groups: ["a"] }, { umask: NaN }]) {
    assertErrno("EINVAL", () => state.setCredentials(bad as never));
  }
});

Deno.test("umask() gives the old one", () => {
  const state = new State();
  assertEquals([state.umask(0o077), state.umask(0)], [0o022, 0o077]);
});

Deno.test("getPath() climbs across mounts", () => {
  const fs = createFS();
  assertEquals(getPath(fs.findObject("/dev/shm/tmp")), "/dev/shm/tmp");
  assertEquals([getPath(fs.root), getPath(null)], ["/", "/"]);
});

Deno.test("two instances share nothing", () => {
  const [one, other] = [createFS(), createFS()];
  one.writeFile("/only", "here");
  one.chdir("/tmp");
  one.umask(0);
  one.registerDevice(0x7777, {});
  one.open("/only", "r");
  assertErrno("ENOENT", () => other.stat("/only"));
  assertEquals([other.cwd(), other.credentials.umask, other.nextfd()], ["/", 0o022, 0]);
  assertEquals(other.getDevice(0x7777), undefined);
  assertNotStrictEquals(one.nameTable, other.nameTable);
});

Deno.test("without a root every path is ENOENT", () => {
  const fs = createFS();
  fs.root = null;
  assertErrno("ENOENT", () => fs.stat("/"));
});

Deno.test("Emscripten's state is there under its names", () => {
  const fs = createFS();
  const stream = fs.open("/tmp/f", "w");
  assertEquals([fs.streams[0], fs.MAX_OPEN_FDS, fs.currentPath], [stream, 4096, "/"]);
  assertEquals([fs.nameTable.length & (fs.nameTable.length - 1), fs.initialized], [0, false]);
  assertEquals(fs.PATH_FS.resolve("a"), "/a");
  fs.chdir("/tmp");
  assertEquals(fs.PATH_FS.resolve("a"), "/tmp/a");
});
