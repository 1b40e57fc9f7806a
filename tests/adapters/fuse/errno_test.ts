import { assertEquals } from "@std/assert";
import { Errno, type ErrnoCode, ErrnoError } from "../../../mod.ts";
import { codeOfLinux, LinuxErrno, linuxErrno } from "../../../adapters/fuse/errno.ts";

Deno.test("LinuxErrno has a number of its own for every error of the house", () => {
  const codes = Object.keys(Errno) as ErrnoCode[];
  assertEquals(Object.keys(LinuxErrno).sort(), [...codes].sort());
  assertEquals(new Set(Object.values(LinuxErrno)).size, codes.length);
});

Deno.test("LinuxErrno agrees with the numbers that Node shows on Linux", async () => {
  if (Deno.build.os !== "linux") return;
  const { errno } = (await import("node:os")).constants;
  const theirs = errno as unknown as Record<string, number>;
  let compared = 0;
  for (const [code, number] of Object.entries(LinuxErrno)) {
    if (theirs[code] === undefined) continue;
    assertEquals(number, theirs[code], code);
    compared++;
  }
  assertEquals(compared > 60, true, `${compared} compared`);
});

Deno.test("linuxErrno() translates, and calls anything else EIO", () => {
  assertEquals(linuxErrno(new ErrnoError("ENOENT")), 2);
  assertEquals(linuxErrno(new ErrnoError("ENOTSUP")), 95);
  assertEquals(linuxErrno(new ErrnoError("ESTALE")), 116);
  assertEquals(linuxErrno(new TypeError("ours")), 5);
});

Deno.test("codeOfLinux() is the way back, and EIO for an unknown number", () => {
  for (const code of Object.keys(LinuxErrno) as ErrnoCode[]) {
    assertEquals(codeOfLinux(LinuxErrno[code]), code);
  }
  assertEquals(codeOfLinux(4095), "EIO");
});
