/** VOLUMEFS's bytes by its op table: seeks, views, and who keeps an inode alive. */
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../abi/errno.ts";
import { SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET } from "../../abi/flags.ts";
import { S_IFREG } from "../../abi/mode.ts";
import { FSStream } from "../../abi/node.ts";
import { createFS } from "../../fs/create_fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { volumeStreamOps } from "../../stream_ops/volume.ts";
import type { VolumeRecord } from "../../stream_ops/volume_record.ts";
import { ModelVolume } from "../support/model_volume.ts";

function openFile(volume: ModelVolume): FSStream<VolumeRecord> {
  const root = VOLUMEFS.mount({ volume });
  const node = root.node_ops.mknod?.(root, "f", S_IFREG | 0o644, 0, { uid: 0, gid: 0 });
  return new FSStream(node!, { flags: 2, position: 0, descriptors: 1 }, "/f");
}

Deno.test("volumeStreamOps() reads and writes the asked part of the buffer", () => {
  const volume = new ModelVolume();
  const stream = openFile(volume);
  const ops = volumeStreamOps(volume);
  assertEquals(ops.write?.(stream, Uint8Array.of(9, 1, 2, 3, 9), 1, 3, 2), 3);
  const into = new Uint8Array(8).fill(7);
  assertEquals(ops.read?.(stream, into, 1, 6, 0), 5);
  assertEquals([...into], [7, 0, 0, 1, 2, 3, 7, 7]);
  assertEquals(ops.append?.(stream, Uint8Array.of(5, 6), 1, 1), { at: 5, count: 1 });
});

Deno.test("volumeStreamOps() hands a whole buffer on as it is", () => {
  const volume = new ModelVolume();
  const stream = openFile(volume);
  const buffer = new Uint8Array(16);
  let seen: Uint8Array | undefined;
  volume.write = (_ino, from) => {
    seen = from;
    return from.length;
  };
  volumeStreamOps(volume).write?.(stream, buffer, 0, 16, 0);
  assertStrictEquals(seen, buffer);
});

Deno.test("volumeStreamOps().llseek() knows all five origins", () => {
  const volume = new ModelVolume();
  const stream = openFile(volume);
  const ops = volumeStreamOps(volume);
  ops.write?.(stream, new Uint8Array(100), 0, 100, 0);
  stream.position = 40;
  const rows: [number, number, number][] = [
    [7, SEEK_SET, 7],
    [2, SEEK_CUR, 42],
    [-1, SEEK_END, 99],
    [10, SEEK_END, 110],
    [30, SEEK_DATA, 30],
    [30, SEEK_HOLE, 100],
  ];
  for (const [offset, whence, expected] of rows) {
    assertEquals(ops.llseek?.(stream, offset, whence), expected, `whence ${whence}`);
  }
  const bad: [number, number, string][] = [
    [-41, SEEK_CUR, "EINVAL"],
    [100, SEEK_DATA, "ENXIO"],
    [-1, SEEK_HOLE, "ENXIO"],
    [0, 9, "EINVAL"],
  ];
  for (const [offset, whence, code] of bad) {
    const error = assertThrows(() => ops.llseek?.(stream, offset, whence), ErrnoError);
    assertEquals(error.code, code, `whence ${whence}`);
  }
});

Deno.test("volumeStreamOps() keeps the inode between open and close, and syncs that inode", () => {
  const volume = new ModelVolume();
  const stream = openFile(volume);
  const ops = volumeStreamOps(volume);
  ops.open?.(stream);
  volume.unlink(volume.root, "f");
  ops.write?.(stream, Uint8Array.of(1), 0, 1, 0);
  ops.fsync?.(stream);
  assertEquals(volume.calls.get("fsync"), 1);
  assertEquals(volume.inodeCount, 2);
  ops.close?.(stream);
  assertEquals(volume.inodeCount, 1);
});

Deno.test("volumeStreamOps() moves no atime on a read-only mount", () => {
  let now = 1e12;
  const clock = (): number => now;
  const volume = openVolumeSync(memoryHandle(), { clock });
  const fs = createFS({ clock, root: { type: VOLUMEFS, options: { volume } } });
  fs.writeFile("/f", "text");
  fs.mkdir("/m");
  fs.mount(VOLUMEFS, { volume }, "/m", { readOnly: true });
  fs.utime("/f", 5000, 6000);
  now += 1000;
  fs.readFile("/m/f");
  assertEquals(fs.stat("/f").atimeMs, 5000);
  fs.readFile("/f");
  assertEquals(fs.stat("/f").atimeMs, now);
  fs.quit();
  volume.close();
});
