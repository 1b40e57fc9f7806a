import { assertEquals } from "@std/assert";
import { O_CREAT, O_DSYNC, O_EXCL, O_RDWR, O_TMPFILE, UTIME_OMIT } from "../../abi/flags.ts";
import { HostCalls, type HostFs, hostFs } from "../../node_ops/host_calls.ts";
import { assertErrno } from "../support/errno.ts";

Deno.test("hostFs() is ENOTSUP where there are no host files", () => {
  const scope = globalThis as { process?: unknown };
  const before = scope.process;
  try {
    scope.process = undefined;
    assertErrno("ENOTSUP", () => hostFs());
  } finally {
    scope.process = before;
  }
});

Deno.test("HostCalls refuses a path with .. in it, and a directory that is a link", () => {
  const folder = Deno.makeTempDirSync();
  Deno.mkdirSync(`${folder}/in/d`, { recursive: true });
  Deno.writeTextFileSync(`${folder}/secret`, "outside");
  Deno.symlinkSync("..", `${folder}/in/up`);
  const host = new HostCalls(`${folder}/in`);
  assertErrno("EACCES", () => host.lstat("/../secret"));
  assertErrno("EACCES", () => host.lstat("/d/../../secret"));
  assertErrno("EACCES", () => host.lstat("/up/secret"));
  assertErrno("EACCES", () => host.open("/up/secret", 0));
  assertErrno("EACCES", () => host.rename("/up/secret", "/stolen"));
  assertErrno("ELOOP", () => host.open("/up", 0));
  assertErrno("ELOOP", () => host.readdir("/up"));
  assertEquals(host.readdir("/").sort(), ["d", "up"]);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("HostCalls.open() speaks the host's numbers of the flags", () => {
  const asked: number[] = [];
  const fake = (constants: HostFs["constants"]): HostFs =>
    Object.assign(Object.create(hostFs()), {
      constants,
      openSync: (_path: string, flags: number) => asked.push(flags),
    });
  const folder = Deno.makeTempDirSync();
  const mac = { O_CREAT: 0x200, O_EXCL: 0x800, O_SYNC: 0x80, O_NOFOLLOW: 0x100 };
  new HostCalls(folder, fake(mac)).open("/f", O_RDWR | O_CREAT | O_EXCL | O_DSYNC);
  assertEquals(asked.pop(), 2 | 0x200 | 0x800 | 0x80 | 0x100);
  const plain = new HostCalls(folder, fake({ O_CREAT: 0x100 }));
  plain.open("/f", O_RDWR | O_CREAT);
  assertEquals(asked.pop(), 2 | 0x100);
  Deno.symlinkSync("/", `${folder}/l`);
  assertErrno("ELOOP", () => plain.open("/l", 0));
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("HostCalls.lutimens() and futimens() keep ms, also of a link, and leave one alone", () => {
  const folder = Deno.makeTempDirSync();
  const host = new HostCalls(folder);
  Deno.writeTextFileSync(`${folder}/f`, "");
  Deno.symlinkSync("f", `${folder}/l`);
  const shown = (path: string): number[] => {
    const { atimeMs, mtimeMs } = host.lstat(path);
    return [atimeMs, mtimeMs];
  };
  for (let ms = 1_700_000_000_001; ms < 1_700_000_001_000; ms += 37) {
    host.utime("/f", ms, ms + 1);
    assertEquals(shown("/f"), [ms, ms + 1]);
  }
  host.lutimens("/l", [-5, 0], [7, 1_000_000]);
  assertEquals(shown("/l"), [-5000, 7001]);
  const stream = host.open("/f", 2);
  host.futimens(stream.fd!, [9, 0], [0, UTIME_OMIT]);
  host.futimens(stream.fd!, [0, UTIME_OMIT], [8, 0]);
  assertEquals(shown("/f"), [9000, 8000]);
  host.close(stream);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("HostCalls opens what has no name, and once more", () => {
  const folder = Deno.makeTempDirSync();
  const host = new HostCalls(folder);
  const stream = host.open("/", O_TMPFILE | O_RDWR, 0o600);
  host.write(stream, new Uint8Array([1, 2, 3]), 0, 3, 0);
  assertEquals([host.readdir("/"), host.fstat(stream.fd!).nlink], [[], 0]);
  const again = host.reopen(stream.fd!, 0);
  const into = new Uint8Array(3);
  assertEquals([host.read(again, into, 0, 3, 0), into], [3, new Uint8Array([1, 2, 3])]);
  host.close(again);
  host.close(stream);
  Deno.removeSync(folder, { recursive: true });
});
