import { assertEquals } from "@std/assert";
import { HostCalls, hostFs } from "../../node_ops/host_calls.ts";
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
