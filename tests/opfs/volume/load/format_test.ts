import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import { formatVolume, isFormattable } from "../../../../opfs/volume/load/format.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { LimitedHandle } from "../../../support/limited_handle.ts";

Deno.test("formatVolume() makes an empty volume of any geometry", () => {
  for (const blockSize of [512, 1024, 4096, 65536, 1 << 20]) {
    for (const ringBytes of [128 * 1024, 512 * 1024, 132 * 1024]) {
      const handle = memoryHandle();
      formatVolume(handle, { blockSize, ringBytes, label: "x".repeat(64) });
      assertEquals(checkVolume(handle).violations, []);
      const volume = openVolumeSync(handle, { create: false });
      const ino = volume.create(volume.root, "a", { mode: 0o100644, uid: 0, gid: 0 });
      volume.write(ino, new Uint8Array(300_000).fill(1), 1000);
      volume.close();
      assertEquals(checkVolume(handle).violations, [], `${blockSize}, ${ringBytes}`);
    }
  }
});

Deno.test("formatVolume() refuses what is not empty, unless it is forced", () => {
  const handle = memoryHandle(new TextEncoder().encode("my only copy"));
  assertThrows(() => formatVolume(handle), ErrnoError, "EEXIST");
  assertThrows(() => openVolumeSync(handle), ErrnoError, "EINVAL");
  assertEquals(new TextDecoder().decode(handle.toBytes()), "my only copy");
  formatVolume(handle, { force: true });
  assertThrows(() => formatVolume(handle), ErrnoError, "EEXIST");
  assert(checkVolume(handle).clean);
});

Deno.test("isFormattable() takes nothing, zeros, and an interrupted format", () => {
  assert(isFormattable(memoryHandle()));
  assert(isFormattable(memoryHandle(new Uint8Array(900_000))));
  assert(!isFormattable(memoryHandle(new Uint8Array(2_000_000))), "longer than a fresh image");
  for (const at of [0, 4095, 8192, 20_000, 899_999]) {
    const bytes = new Uint8Array(900_000);
    bytes[at] = 1;
    assert(!isFormattable(memoryHandle(bytes)), `byte ${at}`);
  }
  const torn = new Uint8Array(900_000);
  torn[4100] = 1;
  assert(isFormattable(memoryHandle(torn)), "a torn first header");
});

Deno.test("formatVolume() on a device that is too small is ENOSPC", () => {
  const handle = new LimitedHandle(memoryHandle(), 500_000);
  assertThrows(() => formatVolume(handle), ErrnoError, "ENOSPC");
});

Deno.test("formatVolume() takes as many bytes as it may, and no more", () => {
  const handle = memoryHandle();
  formatVolume(handle);
  const maxBytes = handle.getSize();
  for (const name of ["maxBytes", "limitBytes"]) {
    formatVolume(memoryHandle(), { [name]: maxBytes });
    const small = memoryHandle();
    const tight = () => formatVolume(small, { [name]: maxBytes - 1 });
    assertThrows(tight, ErrnoError, "ENOSPC");
    assertEquals(small.getSize(), 0);
  }
});

Deno.test("openVolumeSync() formats nothing without create or for reading only", () => {
  const handle = memoryHandle();
  assertThrows(() => openVolumeSync(handle, { create: false }), ErrnoError, "ENOENT");
  assertThrows(() => openVolumeSync(handle, { readOnly: true }), ErrnoError, "ENOENT");
  assertEquals(handle.getSize(), 0);
});

Deno.test("formatVolume() begins with as many slots as asked for", () => {
  for (const slots of [64, 128, 4096, 65536]) {
    const handle = memoryHandle();
    formatVolume(handle, { slots });
    const volume = openVolumeSync(handle, { create: false });
    assertEquals([volume.stats().slots, volume.stats().freeSlots], [slots, slots - 32]);
    for (let index = 0; index < 200; index++) {
      volume.create(volume.root, `f${index}`, { mode: 0o100644, uid: 0, gid: 0 });
    }
    volume.close();
    assertEquals(checkVolume(handle).violations, []);
  }
  for (const slots of [0, 63, 32, -64, 2 ** 24 + 64, 64.5]) {
    assertThrows(() => formatVolume(memoryHandle(), { slots }), ErrnoError, "EINVAL");
  }
});

Deno.test("formatVolume() sets a limit that every later mount keeps", () => {
  const handle = memoryHandle();
  const limitBytes = 2 * 1024 * 1024;
  formatVolume(handle, { limitBytes });
  for (let turn = 0; turn < 2; turn++) {
    const volume = openVolumeSync(handle, { create: false });
    const { blockSize, blocks } = volume.statfs();
    assert(blocks * blockSize <= limitBytes);
    const ino = volume.create(volume.root, `f${turn}`, { mode: 0o100644, uid: 0, gid: 0 });
    const piece = new Uint8Array(64 * 1024).fill(1);
    assertThrows(
      () => {
        for (let at = 0;; at += volume.write(ino, piece, at));
      },
      ErrnoError,
      "ENOSPC",
    );
    volume.close();
    assert(handle.getSize() <= limitBytes);
    assertEquals(checkVolume(handle).violations, []);
  }
  const tight = openVolumeSync(handle, { create: false, maxBytes: 10 * limitBytes });
  assert(tight.statfs().blocks * tight.statfs().blockSize <= limitBytes);
  tight.close();
  assertThrows(() => formatVolume(memoryHandle(), { limitBytes: 1000 }), ErrnoError, "ENOSPC");
  for (const bad of [-1, 0.5, NaN]) {
    assertThrows(() => formatVolume(memoryHandle(), { limitBytes: bad }), ErrnoError, "EINVAL");
  }
});

Deno.test("formatVolume() refuses a label that would not be found again as it is", () => {
  for (const label of ["a\0b", "\0", "\ud800", "x".repeat(65), "é".repeat(33)]) {
    const handle = memoryHandle();
    assertThrows(() => formatVolume(handle, { label }), ErrnoError, "EINVAL");
    assertEquals(handle.getSize(), 0);
  }
});
