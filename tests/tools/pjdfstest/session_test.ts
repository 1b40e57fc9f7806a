/** The language of the suite's command, over a real file system. */
import { assertEquals } from "@std/assert";
import { createFS } from "../../../fs/create_fs.ts";
import { Session } from "../../../tools/pjdfstest/session.ts";

function make() {
  let now = 10_000;
  const FS = createFS({ clock: () => now });
  const session = new Session(FS as never, (ms) => now += ms);
  const run = (line: string, cwd = "/tmp") => session.run(cwd, line.split(" "));
  return { FS, session, run };
}

Deno.test("Session.run() makes calls as a user, and is root again afterwards", () => {
  const { FS, run } = make();
  assertEquals(run("-u 65534 -g 65533,65532 -U 077 mkdir d 0755"), [0, "0\n"]);
  assertEquals(run("lstat d mode,uid,gid,type"), [0, "0700,65534,65533,dir\n"]);
  assertEquals(run("-u 65534 -g 65533 chown d 0 0"), [1, "EPERM\n"]);
  assertEquals(FS.credentials.uid, 0);
});

Deno.test("Session.run() chains calls over numbered descriptors, and closes them", () => {
  const { FS, run } = make();
  assertEquals(run("open f O_CREAT,O_RDWR 0644 : write 0 hello : pread 0 3 1 : fstat 0 size"), [
    0,
    "0\n0\nell\n5\n",
  ]);
  assertEquals(run("open . O_RDONLY : mkdirat 0 sub 0755 : unlinkat 0 f 0 : openat 5 x O_RDONLY"), [
    1,
    "0\n0\n0\nEBADF\n",
  ]);
  assertEquals([FS.nextfd(), FS.readdir("/tmp").at(-1)], [0, "sub"]);
});

Deno.test("Session.run() reads bind as mknod, knows wild pointers, and unknown words", () => {
  const { session, run } = make();
  assertEquals(run("bind s"), [0, "0\n"]);
  assertEquals(run("bind s"), [1, "EADDRINUSE\n"]);
  assertEquals(run("connect s"), [1, "ECONNREFUSED\n"]);
  assertEquals([run("unlink NULL"), session.stats.faulted], [[1, "EFAULT\n"], true]);
  assertEquals(run("lchmod s 0644"), [1, ""]);
});

Deno.test("Session.run() counts what is no error of a file system", () => {
  const broken = { setCredentials() {}, chdir() {}, close() {}, unlink: () => null!["x"] };
  const session = new Session(broken as never, () => {});
  assertEquals(session.run("/", ["unlink", "f"]), [1, "EXCEPTION_TypeError\n"]);
  assertEquals(Object.values(session.stats.exceptions), [1]);
});

Deno.test("Session.run() does what the shell's tools would", () => {
  const { FS, run } = make();
  assertEquals(run("--x-mkdirp a/b/c"), [0, ""]);
  assertEquals(run("--x-cd ../tmp/a/./b"), [0, "/tmp/a/b\n"]);
  assertEquals(run("--x-cd none"), [1, ""]);
  assertEquals(run("--x-put a/f 3 hi"), [0, ""]);
  assertEquals(FS.readFile("/tmp/a/f", { encoding: "utf8" }), "hi\n");
  const before = FS.clock();
  run("--x-sleep 2");
  assertEquals(FS.clock() - before, 2000);
  run("--x-rmrf a");
  assertEquals([FS.findObject("/tmp/a"), run("--x-what")[0]], [null, 99]);
});
