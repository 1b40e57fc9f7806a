/** Names of extended attributes: the rule, and that all who keep attributes hold to it. */
import { assertEquals } from "@std/assert";
import { type ErrnoCode, isErrnoError } from "../../abi/errno.ts";
import {
  FS_NAMESPACES,
  MOUNT_NAMESPACES,
  XATTR_NAME_MAX,
  XATTR_VALUE_MAX,
  xattrNameCode,
  xattrTextCode,
} from "../../abi/xattr_name.ts";
import { LinuxErrno } from "../../adapters/fuse/errno.ts";
import { createFS } from "../../fs/create_fs.ts";
import { PROXYFS } from "../../node_ops/proxyfs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { XATTR_NAME_BYTES_MAX, XATTR_VALUE_BYTES_MAX } from "../../opfs/volume/format/layout.ts";
import { VALUE_BYTES_MAX } from "../../opfs/relay/protocol.ts";
import type { VolumeOps } from "../../opfs/volume_ops.ts";
import { FakeKernel, OP, text, u32 } from "../adapters/fuse/fake_kernel.ts";
import { ModelVolume } from "../support/model_volume.ts";
import { RelayedVolume } from "../support/relayed_volume.ts";

/** What FS, a mount and a volume say to setting it; and a volume to finding it, where that differs. */
const ROWS: readonly [name: string, fs: string, mount: string, volume: string, find?: string][] = [
  ["", "ERANGE", "ERANGE", "ERANGE"],
  ["user.", "EINVAL", "EINVAL", "EINVAL", "ok"],
  ["user", "ENOTSUP", "ENOTSUP", "ok"],
  ["user.a", "ok", "ok", "ok"],
  ["user..", "ok", "ok", "ok"],
  ["User.a", "ENOTSUP", "ENOTSUP", "ok"],
  ["trusted.a", "ENOTSUP", "ok", "ok"],
  ["trusted.", "ENOTSUP", "EINVAL", "EINVAL", "ok"],
  ["security.a", "ENOTSUP", "ok", "ok"],
  ["system.posix_acl_access", "ENOTSUP", "ENOTSUP", "ok"],
  [".", "ENOTSUP", "ENOTSUP", "EINVAL", "ok"],
  [`user.${"x".repeat(250)}`, "ok", "ok", "ok"],
  [`user.${"x".repeat(251)}`, "ERANGE", "ERANGE", "ERANGE"],
  [`${"x".repeat(255)}.`, "ERANGE", "ERANGE", "ERANGE"],
  [`user.${"\u017c".repeat(126)}`, "ERANGE", "ERANGE", "ERANGE"],
  ["user.\0", "EINVAL", "EINVAL", "EINVAL"],
  ["user.\ud800", "EILSEQ", "EILSEQ", "EILSEQ"],
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
  for (const [name, fs, mount, volume, find] of ROWS) {
    assertEquals(xattrNameCode(name, FS_NAMESPACES) ?? "ok", fs, name);
    assertEquals(xattrNameCode(name, MOUNT_NAMESPACES) ?? "ok", mount, name);
    assertEquals(xattrNameCode(name) ?? "ok", volume, name);
    assertEquals(xattrTextCode(name) ?? "ok", find ?? volume, name);
  }
});

Deno.test("docs/SEMANTICS.md and docs/MOUNT.md have the namespaces that are kept", () => {
  const page = (name: string) =>
    Deno.readTextFileSync(new URL(`../../docs/${name}.md`, import.meta.url));
  const kept = page("SEMANTICS").split("\n## Extended attributes")[1]!.trim().split(
    " on files",
  )[0]!;
  const names = (text: string) => [...text.matchAll(/`(\w+\.)\*`/g)].map(([, space]) => space!);
  assertEquals(names(kept), [...FS_NAMESPACES]);
  const mounted = /\*\*Extended attributes\*\* of ([^*]+) are kept/.exec(page("MOUNT"))![1]!;
  const spaces = [...mounted.matchAll(/`(\w+)`/g)].map(([, space]) => `${space}.`);
  assertEquals(spaces, [...MOUNT_NAMESPACES]);
});

Deno.test("names and values are as long in an image and on the wire as anywhere", () => {
  assertEquals([XATTR_NAME_BYTES_MAX, XATTR_VALUE_BYTES_MAX], [XATTR_NAME_MAX, XATTR_VALUE_MAX]);
  assertEquals(VALUE_BYTES_MAX, XATTR_VALUE_MAX);
});

Deno.test("FS says the same to set, get and remove, whatever is below", async () => {
  const clock = () => 0;
  const relayed = await RelayedVolume.open({ limitBytes: 0, clock });
  const over = (volume: VolumeOps) => createFS({ root: { type: VOLUMEFS, options: { volume } } });
  const proxied = createFS();
  proxied.mkdir("/m");
  proxied.mount(PROXYFS, { fs: createFS(), path: "/" }, "/m");
  proxied.chdir("/m");
  for (
    const fs of [createFS(), over(openVolumeSync(memoryHandle())), over(relayed.client), proxied]
  ) {
    fs.writeFile("f", "");
    const node = fs.lookupPath("f").node!;
    for (const [name, code] of ROWS) {
      assertEquals(codeOf(() => fs.setxattr("f", name, new Uint8Array(1))), code, name);
      assertEquals(fs.listxattr("f"), code === "ok" ? [name] : [], name);
      assertEquals(codeOf(() => fs.getxattr("f", name)), code, name);
      assertEquals(codeOf(() => fs.removexattr("f", name)), code, name);
      if (node.mount.type.name !== "MEMFS") continue;
      // A program may call a backend itself.
      const { setxattr, getxattr, removexattr } = node.node_ops;
      assertEquals(codeOf(() => setxattr!(node, name, new Uint8Array(1), 0)), code, name);
      assertEquals(codeOf(() => getxattr!(node, name)), code, name);
      assertEquals(codeOf(() => removexattr!(node, name)), code, name);
    }
  }
  await relayed.close();
  RelayedVolume.dispose();
});

Deno.test("FS and a mount list no name that they do not keep", () => {
  const volume = openVolumeSync(memoryHandle());
  const ino = volume.create(volume.root, "f", { mode: 0o100644, uid: 0, gid: 0 });
  for (const name of ["trusted.a", "plain", "user.a", "system.a"]) {
    volume.setxattr(ino, name, new Uint8Array(1), 0);
  }
  const fs = createFS({ root: { type: VOLUMEFS, options: { volume } } });
  assertEquals(fs.listxattr("/f"), ["user.a"]);
  const kernel = new FakeKernel(volume);
  kernel.init();
  const fields = kernel.ok(OP.LISTXATTR, { node: ino, body: [u32(999), u32(0)] });
  assertEquals(fields.text(fields.left), "trusted.a\0user.a\0");
});

Deno.test("a volume, its relay and the model take any namespace, and none with nothing after it", async () => {
  const relayed = await RelayedVolume.open({ limitBytes: 0, clock: () => 0 });
  for (
    const volume of [
      openVolumeSync(memoryHandle()),
      relayed.client,
      new ModelVolume(),
    ] as VolumeOps[]
  ) {
    const ino = volume.create(volume.root, "f", { mode: 0o100644, uid: 0, gid: 0 });
    for (const [name, , , code, find = code] of ROWS) {
      assertEquals(codeOf(() => volume.setxattr(ino, name, new Uint8Array(1), 0)), code, name);
      assertEquals(codeOf(() => volume.getxattr(ino, name)), find, name);
      assertEquals(codeOf(() => volume.removexattr(ino, name)), find, name);
    }
  }
  await relayed.close();
  RelayedVolume.dispose();
});

Deno.test("a mount says the same to set, get and remove", () => {
  const kernel = new FakeKernel(openVolumeSync(memoryHandle()));
  kernel.init();
  const { node } = kernel.create("a");
  for (const [name, , code] of ROWS) {
    // The kernel's text ends at a NUL, and half a character is three bytes that say otherwise.
    if (/[\0\ud800]/.test(name)) continue;
    const calls = [
      [OP.SETXATTR, [u32(1), u32(0), text(name), new Uint8Array(1)]],
      [OP.GETXATTR, [u32(9), u32(0), text(name)]],
      [OP.REMOVEXATTR, [text(name)]],
    ] as const;
    for (const [opcode, body] of calls) {
      if (code === "ok") kernel.ok(opcode, { node, body: [...body] });
      else {assertEquals(
          kernel.fails(opcode, { node, body: [...body] }),
          LinuxErrno[code as ErrnoCode],
          name,
        );}
    }
  }
});
