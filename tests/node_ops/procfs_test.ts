import { assertEquals, assertStrictEquals } from "@std/assert";
import { S_IFREG } from "../../abi/mode.ts";
import type { FSNode, FSStream } from "../../abi/node.ts";
import { mountMemfs } from "../../node_ops/memfs.ts";
import { PROCFS, type ProcfsRecord } from "../../node_ops/procfs.ts";
import { attach, attachRoot, child, openBare } from "../support/bare_mount.ts";
import { assertErrno } from "../support/errno.ts";

function descriptors(streams: (FSStream | null)[]): FSNode<ProcfsRecord> {
  const root = attachRoot(PROCFS.mount({ streams, clock: () => 5 }));
  return child(child(root, "self"), "fd");
}

function anOpenFile(): FSStream {
  const root = attachRoot(mountMemfs({}));
  const node = root.node_ops.mknod!(root, "f", S_IFREG | 0o644, 0, { uid: 0, gid: 0 });
  return openBare(attach(root, "f", node)) as unknown as FSStream;
}

Deno.test("PROCFS lists the open descriptors, from a cursor on", () => {
  const streams = [anOpenFile(), null, anOpenFile(), anOpenFile()];
  const fd = descriptors(streams);
  const entries = fd.node_ops.readdir!(fd, 0);
  assertEquals(entries.map((entry) => entry.name), ["0", "2", "3"]);
  assertEquals(fd.node_ops.readdir!(fd, entries[1]!.cursor).map((entry) => entry.name), ["3"]);
  assertEquals(fd.node_ops.readdir!(fd, entries[2]!.cursor), []);
});

Deno.test("PROCFS links lead to the open node and show its path", () => {
  const stream = anOpenFile();
  const fd = descriptors([stream]);
  const link = child(fd, "0");
  assertStrictEquals(link.node_ops.follow!(link), stream.node);
  assertEquals(link.node_ops.readlink!(link), "/f");
  assertEquals(link.node_ops.getattr(link).mode, 0o120700);
});

Deno.test("PROCFS links go with their descriptor", () => {
  const streams: (FSStream | null)[] = [anOpenFile()];
  const fd = descriptors(streams);
  const link = child(fd, "0");
  assertEquals(link.node_ops.revalidate!(link), true);
  streams[0] = null;
  assertEquals(link.node_ops.revalidate!(link), false);
  assertEquals(fd.node_ops.lookup!(fd, "0"), null);
  assertErrno("ENOENT", () => link.node_ops.readlink!(link));
});

Deno.test("PROCFS finds no descriptor by another spelling", () => {
  const fd = descriptors([anOpenFile()]);
  for (const name of ["00", "-0", "0x0", "1", "", " 0", "0.0"]) {
    assertEquals(fd.node_ops.lookup!(fd, name), null, name);
  }
});

Deno.test("PROCFS directories list their one entry once", () => {
  const root = attachRoot(PROCFS.mount({ streams: [] }));
  const [self] = root.node_ops.readdir!(root, 0);
  assertEquals([self!.name, root.node_ops.readdir!(root, self!.cursor)], ["self", []]);
  assertEquals(root.node_ops.lookup!(root, "other"), null);
});

Deno.test("PROCFS.mount() wants a descriptor table", () => {
  assertErrno("EINVAL", () => PROCFS.mount({} as never));
});
