/**
 * What node:fs cannot do with a host file. Linux.
 */
import { assert, assertEquals } from "@std/assert";
import { decodeStatx, LinuxCalls } from "../../../cli/shared/linux_calls.ts";
import { inFolder } from "../../support/command_line.ts";
import { assertErrno } from "../../support/errno.ts";

function calls(): LinuxCalls {
  const linux = LinuxCalls.load();
  assert(linux !== null, "this test takes Linux");
  return linux;
}

Deno.test("LinuxCalls.stat() shows what lstat shows, and times to the microsecond", () => {
  inFolder((folder) => {
    const linux = calls();
    Deno.writeTextFileSync(`${folder}/a`, "12345", { mode: 0o640 });
    Deno.linkSync(`${folder}/a`, `${folder}/b`);
    Deno.symlinkSync("a", `${folder}/link`);
    linux.setTimes(`${folder}/a`, { atime: -1.5, mtime: 1_700_000_001_654.321 });
    const { attr, key } = linux.stat(`${folder}/a`);
    const { ino, uid, gid, blocks } = Deno.lstatSync(`${folder}/a`);
    assertEquals([attr.ino, attr.uid, attr.gid, attr.blocks], [ino!, uid!, gid!, blocks!]);
    assertEquals([attr.mode, attr.nlink, attr.size], [0o100640, 2, 5]);
    assertEquals([attr.atime, attr.mtime], [-1.5, 1_700_000_001_654.321]);
    assertEquals(linux.stat(`${folder}/b`).key, key);
    assertEquals(linux.stat(`${folder}/link`).attr.mode, 0o120777);
    assertEquals(linux.stat("/dev/null").attr.rdev, 0x103);
    assertErrno("ENOENT", () => linux.stat(`${folder}/none`));
    assertErrno("EINVAL", () => linux.stat("a\0b"));
  });
});

Deno.test("LinuxCalls.makeNode() makes a FIFO and a socket, and a device for root only", () => {
  inFolder((folder) => {
    const linux = calls();
    for (const [name, mode] of [["p", 0o010600], ["s", 0o140644]] as const) {
      linux.makeNode(`${folder}/${name}`, { mode, rdev: 0 });
      assertEquals(linux.stat(`${folder}/${name}`).attr.mode & 0o170000, mode & 0o170000);
    }
    assertErrno("EEXIST", () => linux.makeNode(`${folder}/p`, { mode: 0o010600, rdev: 0 }));
    const rdev = 0x0010_012c; // 1, 300
    const make = () => linux.makeNode(`${folder}/c`, { mode: 0o020600, rdev });
    if (Deno.uid() !== 0) return assertErrno("EPERM", make);
    make();
    assertEquals(linux.stat(`${folder}/c`).attr.rdev, rdev);
  });
});

Deno.test("LinuxCalls.setXattr() sets what xattr() and xattrNames() find", () => {
  inFolder((folder) => {
    const linux = calls();
    const path = `${folder}/a`;
    Deno.writeTextFileSync(path, "");
    const value = new Uint8Array([0, 255, 10]);
    linux.setXattr(path, "user.ü", value);
    linux.setXattr(path, "user.empty", new Uint8Array());
    assertEquals(linux.xattrNames(path).sort(), ["user.empty", "user.ü"]);
    assertEquals(linux.xattr(path, "user.ü"), value);
    assertEquals(linux.xattr(path, "user.empty"), new Uint8Array());
    assertEquals(linux.xattr(path, "user.none"), null);
    assertErrno("ENOTSUP", () => linux.setXattr(path, "nonsense", value));
    assertEquals(linux.xattrNames("/proc/self/status"), []);
  });
});

Deno.test("LinuxCalls.holesOf() finds data and holes, or says that it is not known", () => {
  inFolder((folder) => {
    const linux = calls();
    using file = Deno.openSync(`${folder}/a`, { write: true, create: true });
    file.truncateSync(2 ** 22);
    file.seekSync(2 ** 20, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(2 ** 16).fill(1));
    const holes = linux.holesOf(`${folder}/a`);
    assertEquals([holes.dataAt(0), holes.holeAt(0)], [2 ** 20, 0]);
    assertEquals(holes.holeAt(2 ** 20), 2 ** 20 + 2 ** 16);
    assertEquals([holes.dataAt(2 ** 21), holes.dataAt(2 ** 30)], [-1, -1]);
    holes.close();
    const unknown = linux.holesOf("/proc/self/status");
    assertEquals(unknown.dataAt(0), null);
    unknown.close();
    assertErrno("ENOENT", () => linux.holesOf(`${folder}/none`));
  });
});

Deno.test("decodeStatx() distinguishes files whose numbers are larger than a double is exact", () => {
  const keyOf = (ino: bigint): string => {
    const view = new DataView(new ArrayBuffer(256));
    view.setBigUint64(0x20, ino, true);
    return decodeStatx(view).key;
  };
  const upper = 1n << 60n;
  assertEquals(new Set([upper, upper + 1n, upper + 2n].map(keyOf)).size, 3);
});
