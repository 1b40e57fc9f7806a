/**
 * Calls that few programs make, made by programs: fallocate(1), setfattr(1), flock(1), cp(1), and
 * Python for those without a command. Each is tried through the kernel, and what it must refuse too.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { run } from "../mounted.ts";
import { must, type Site, type Workload } from "./workload.ts";

type Step = (directory: string) => Promise<void>;

/** Every step, in a folder of its own. */
export const callsWorkload: Workload = {
  name: "calls",
  programs: [
    "fallocate",
    "setfattr",
    "setfacl",
    "setcap",
    "flock",
    "cp",
    "stat",
    "python3",
    "setpriv",
  ],
  asRoot: true,
  flags: ["--allow-other"],
  async run({ directory, folder }: Site) {
    for (const path of [folder, directory]) Deno.chmodSync(path, 0o755);
    const steps: Record<string, Step> = {
      allocating,
      seeking,
      attributes,
      privileges,
      nameless,
      renaming,
      locking,
      syncing,
      space,
    };
    for (const [name, step] of Object.entries(steps)) {
      Deno.mkdirSync(`${directory}/${name}`);
      await step(`${directory}/${name}`);
    }
    return Object.keys(steps).join(", ");
  },
};

/** Runs lines of Python in a folder; returns what they print. `c` has the C library. */
async function python(cwd: string, lines: string): Promise<string> {
  const head = `
import ctypes, errno, fcntl, mmap, os, stat, subprocess, sys
c = ctypes.CDLL(None, use_errno=True)
def code(status):
  return "ok" if status >= 0 else errno.errorcode[ctypes.get_errno()]
def tried(call, *args, **more):
  try: return call(*args, **more)
  except OSError as e: return errno.errorcode[e.errno]
`;
  return (await must(["python3", "-"], { cwd, input: head + lines })).trimEnd();
}

/** Size in bytes and space in units of 512. */
async function sizeOf(path: string): Promise<number[]> {
  return (await must(["stat", "-c", "%s %b", path])).trim().split(" ").map(Number);
}

async function allocating(cwd: string): Promise<void> {
  const file = `${cwd}/a`;
  const fallocate = (...args: string[]) => must(["fallocate", ...args, file]);
  await fallocate("--length", "1M");
  assertEquals(await sizeOf(file), [1 << 20, 2048]);
  await fallocate("--keep-size", "--offset", "2M", "--length", "1M");
  assertEquals(await sizeOf(file), [1 << 20, 4096]);
  Deno.writeFileSync(file, new Uint8Array(1 << 20).fill(1), { create: false });
  await fallocate("--length", "1M");
  await fallocate("--punch-hole", "--offset", "4096", "--length", "8192");
  await fallocate("--zero-range", "--offset", "20000", "--length", "100");
  const bytes = Deno.readFileSync(file);
  const zeros = bytes.reduce((count, byte) => byte === 0 ? count + 1 : count, 0);
  assertEquals([zeros, bytes[4096], bytes[12287], bytes[20000], bytes[20099]], [8292, 0, 0, 0, 0]);
  assertEquals(await sizeOf(file), [1 << 20, 2048 - 16]);
  for (const refused of ["--collapse-range", "--insert-range"]) {
    const { code, output } = await run(["fallocate", refused, "-o", "0", "-l", "4096", file]);
    assertEquals(code, 1);
    assertMatch(output, /not supported/);
  }
}

async function seeking(cwd: string): Promise<void> {
  const printed = await python(
    cwd,
    `
fd = os.open("a", os.O_RDWR | os.O_CREAT)
os.pwrite(fd, b"x" * 4096, 1 << 20)
os.ftruncate(fd, 4 << 20)
os.posix_fallocate(fd, 2 << 20, 4096)
print(os.lseek(fd, 0, os.SEEK_DATA), os.lseek(fd, 1 << 20, os.SEEK_HOLE))
print(tried(os.lseek, fd, 2 << 20, os.SEEK_DATA), tried(os.lseek, fd, 4 << 20, os.SEEK_HOLE))
m = mmap.mmap(fd, 4 << 20)
m[3 << 20] = 65
m.flush()
print(os.lseek(fd, 2 << 20, os.SEEK_DATA))
m[(3 << 20) + 8192] = 65
m.close()
print(os.lseek(fd, (3 << 20) + 4096, os.SEEK_DATA))
`,
  );
  const wanted = [`${1 << 20} ${(1 << 20) + 4096}`, "ENXIO ENXIO", 3 << 20, (3 << 20) + 8192];
  assertEquals(printed, wanted.join("\n"));
  for (const [how, name] of [["auto", "b"], ["always", "c"], ["never", "d"]]) {
    await must(["cp", `--sparse=${how}`, "a", name!], { cwd });
    await must(["cmp", "a", name!], { cwd });
  }
  const blocks = await Promise.all(["b", "c", "d"].map((name) => sizeOf(`${cwd}/${name}`)));
  assertEquals(blocks.map((each) => each[1]), [24, 24, 8192]);
}

async function attributes(cwd: string): Promise<void> {
  const file = `${cwd}/a`;
  Deno.writeTextFileSync(file, "a");
  for (const [name, value] of [["user.a", "one"], ["trusted.b", "two"], ["security.c", "three"]]) {
    await must(["setfattr", "-n", name!, "-v", value!, file]);
  }
  const listed = (output: string) =>
    output.split("\n").filter((line) => /^\w+\./.test(line)).sort();
  const dump = ["getfattr", "--absolute-names", "-d", "-m", "-", file];
  assertEquals(listed(await must(dump)), ['security.c="three"', 'trusted.b="two"', 'user.a="one"']);
  assertEquals(listed(await must([...nobody, ...dump])), ['security.c="three"', 'user.a="one"']);
  await must(["cp", "--preserve=xattr", file, `${cwd}/b`]);
  assertMatch(await must(["getfattr", "--absolute-names", "-n", "user.a", `${cwd}/b`]), /"one"/);
  await must(["setfattr", "-x", "user.a", file]);
  assertMatch((await run(["getfattr", "-n", "user.a", file])).output, /No such attribute/);
  const list = await run(["setfacl", "-m", "u:1000:r", file]);
  assertMatch(list.output, /Operation not supported/);
  const printed = await python(
    cwd,
    `
print(tried(os.setxattr, "a", "user.x", b"1", os.XATTR_REPLACE))
os.setxattr("a", "user.x", b"1", os.XATTR_CREATE)
print(tried(os.setxattr, "a", "user.x", b"1", os.XATTR_CREATE))
os.setxattr("a", "user.x", b"x" * 65536)
print(len(os.getxattr("a", "user.x")), tried(os.setxattr, "a", "user.y", b"x" * 65537))
os.symlink("a", "l")
print(tried(os.setxattr, "l", "user.l", b"1", follow_symlinks=False))
os.setxattr(".", "user.directory", b"1")
print(os.listxattr("."))
`,
  );
  const answers = ["ENODATA", "EEXIST", "65536 E2BIG", "EPERM", "['user.directory']"];
  assertEquals(printed, answers.join("\n"));
}

const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/** What a program may do more than its user goes when it is written to. */
async function privileges(cwd: string): Promise<void> {
  Deno.chmodSync(cwd, 0o777);
  const file = `${cwd}/a`;
  const changes: Record<string, string[]> = {
    written: ["sh", "-c", 'echo more >>"$0"', file],
    directly: [
      "dd",
      "if=/dev/zero",
      `of=${file}`,
      "bs=4k",
      "count=1",
      "oflag=direct",
      "conv=notrunc",
    ],
    allocated: ["fallocate", "-l", "8192", file],
    punched: ["fallocate", "-p", "-o", "0", "-l", "1", file],
    cut: ["truncate", "-s", "1", file],
  };
  for (const [how, change] of Object.entries(changes)) {
    Deno.writeTextFileSync(file, "some");
    Deno.chmodSync(file, 0o6777);
    await must([...nobody, ...change]);
    // Asked for the mode alone, the kernel answers what it remembers.
    assertEquals(await must(["stat", "-c", "%a", file]), "777\n", how);
  }
  await must(["setcap", "cap_net_raw+ep", file]);
  assertMatch(await must(["getcap", file]), /cap_net_raw/);
  await must(["sh", "-c", 'echo more >>"$0"', file]);
  assertEquals(await must(["getcap", file]), "");
}

async function nameless(cwd: string): Promise<void> {
  const printed = await python(
    cwd,
    `
def link(fd, name):
  return code(c.linkat(-100, b"/proc/self/fd/%d" % fd, -100, name, 0x400))
os.umask(0o027)
fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o666)
os.write(fd, b"kept")
print(os.fstat(fd).st_nlink, os.listdir("."), link(fd, b"a"), link(fd, b"b"))
print(os.fstat(fd).st_nlink, oct(os.stat("a").st_mode), open("b").read())
fd = os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_EXCL, 0o600)
print(link(fd, b"c"), tried(os.open, ".", os.O_TMPFILE | os.O_RDONLY))
`,
  );
  const wanted = ["0 [] ok ok", "2 0o100640 kept", "ENOENT EINVAL"];
  assertEquals(printed, wanted.join("\n"));
}

async function renaming(cwd: string): Promise<void> {
  const printed = await python(
    cwd,
    `
def rename(old, new, flags):
  return code(c.renameat2(-100, old, -100, new, flags))
for name in "a", "b": open(name, "w").write(name)
os.mkdir("d"); os.mkdir("d/e")
print(rename(b"a", b"b", 1), rename(b"a", b"c", 1), rename(b"c", b"b", 2), open("b").read())
print(rename(b"c", b"d", 2), open("d").read(), os.listdir("c"), os.stat("c").st_nlink)
print(rename(b"c", b"none", 2), rename(b"b", b"c", 3), rename(b"b", b"x", 4))
print(rename(b"c", b"c/e/f", 0), rename(b"c/e", b"c", 0), rename(b"c/e", b"c", 2))
`,
  );
  const wanted = [
    "EEXIST ok ok a",
    "ok b ['e'] 3",
    "ENOENT EINVAL EINVAL",
    "EINVAL ENOTEMPTY EINVAL",
  ];
  assertEquals(printed, wanted.join("\n"));
}

async function locking(cwd: string): Promise<void> {
  const printed = await python(
    cwd,
    `
def other(lines):
  lines = "import fcntl, os\\nf = open('a', 'r+')\\n" + lines
  done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True)
  return done.stdout.strip() or done.stderr.strip().split("\\n")[-1].split(":")[0]
f = open("a", "w+")
fcntl.lockf(f, fcntl.LOCK_EX, 10, 0)
print(other("fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 5); print('got')"))
print(other("fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 10); print('got')"))
waiting = subprocess.Popen([sys.executable, "-c",
  "import fcntl; f = open('a', 'r+'); fcntl.lockf(f, fcntl.LOCK_EX); print('waited')"],
  stdout=subprocess.PIPE, text=True)
try: waiting.wait(0.5); print("did not wait")
except subprocess.TimeoutExpired: pass
fcntl.lockf(f, fcntl.LOCK_UN)
print(waiting.communicate()[0].strip())
fcntl.flock(f, fcntl.LOCK_SH)
print(subprocess.call(["flock", "-n", "-s", "a", "true"]), subprocess.call(["flock", "-n", "a", "true"]))
f.close()
print(subprocess.call(["flock", "-n", "a", "true"]))
`,
  );
  assertEquals(printed.split("\n"), ["BlockingIOError", "got", "waited", "0 1", "0"]);
}

async function syncing(cwd: string): Promise<void> {
  const printed = await python(
    cwd,
    `
fd = os.open("a", os.O_RDWR | os.O_CREAT)
os.write(fd, b"a")
print(os.fsync(fd), os.fdatasync(fd), code(c.syncfs(fd)), os.sync())
print(code(c.sync_file_range(fd, ctypes.c_long(0), ctypes.c_long(0), 7)))
print(os.fsync(os.open(".", os.O_RDONLY)))
fd = os.open("b", os.O_WRONLY | os.O_CREAT | os.O_SYNC)
print(os.write(fd, b"b"))
`,
  );
  assertEquals(printed, "None None ok None\nok\nNone\n1");
}

/** What is written is no longer free, and the host's free space is not counted twice. */
async function space(cwd: string): Promise<void> {
  const freeOf = async (path: string) =>
    Number(await must(["stat", "-f", "-c", "%a", path])) *
    Number(await must(["stat", "-f", "-c", "%S", path]));
  const [before, host] = [await freeOf(cwd), await freeOf("/tmp")];
  await must(["fallocate", "-l", "64M", `${cwd}/a`]);
  const after = await freeOf(cwd);
  // Others use the host's disk at the same time.
  const isNear = Math.abs(before - after - (64 << 20)) < 1 << 30 && before < host * 1.1;
  assertEquals(isNear, true, `free: ${before}, then ${after}; the host has ${host}`);
}
