/** Names of extended attributes: the table, and that all who keep attributes hold to it. */
import { assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import { xattrNameCode } from "../../abi/xattr_name.ts";
import { createFS } from "../../fs/create_fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";

const ROWS: readonly [name: string, code: string][] = [
  ["", "ERANGE"],
  ["user.", "EINVAL"],
  ["user", "ENOTSUP"],
  ["user.a", "ok"],
  ["user..", "ok"],
  ["trusted.a", "ENOTSUP"],
  [".", "ENOTSUP"],
  [`user.${"x".repeat(250)}`, "ok"],
  [`user.${"x".repeat(251)}`, "ERANGE"],
  [`user.${"ż".repeat(126)}`, "ERANGE"],
  ["user.\0", "EINVAL"],
  ["user.\ud800", "EILSEQ"],
];

function codeOf(call: () => unknown): string {
  try {
    call();
    return "ok";
  } catch (error) {
    return isErrnoError(error) ? error.code : String(error);
  }
}

Deno.test("xattrNameCode() says which names are invalid", () => {
  for (const [name, code] of ROWS) assertEquals(xattrNameCode(name, ["user."]) ?? "ok", code, name);
  assertEquals(xattrNameCode("trusted."), "EINVAL");
  assertEquals([xattrNameCode("trusted.a"), xattrNameCode("plain")], [null, null]);
});

Deno.test("FS over MEMFS and over a volume says the same to set, get and remove", () => {
  const volume = openVolumeSync(memoryHandle());
  for (const fs of [createFS(), createFS({ root: { type: VOLUMEFS, options: { volume } } })]) {
    fs.writeFile("/f", "");
    const node = fs.lookupPath("/f").node!;
    for (const [name, code] of ROWS) {
      assertEquals(codeOf(() => fs.setxattr("/f", name, new Uint8Array(1))), code, name);
      assertEquals(codeOf(() => fs.getxattr("/f", name)), code, name);
      assertEquals(codeOf(() => fs.removexattr("/f", name)), code, name);
      if (node.mount.type.name !== "MEMFS") continue;
      const { setxattr, removexattr } = node.node_ops;
      assertEquals(codeOf(() => setxattr!(node, name, new Uint8Array(1), 0)), code, name);
      assertEquals(codeOf(() => removexattr!(node, name)), code, name);
    }
  }
});

Deno.test("a volume takes any namespace, and none without a name in it", () => {
  const volume = openVolumeSync(memoryHandle());
  const ino = volume.create(volume.root, "f", { mode: 0o100644, uid: 0, gid: 0 });
  const set = (name: string) => codeOf(() => volume.setxattr(ino, name, new Uint8Array(1), 0));
  assertEquals(["user.", "trusted.", ".", ""].map(set), ["EINVAL", "EINVAL", "EINVAL", "ERANGE"]);
  assertEquals(["trusted.a", "plain", "user.."].map(set), ["ok", "ok", "ok"]);
  assertEquals(volume.getxattr(ino, "user."), null);
});
