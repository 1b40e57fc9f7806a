/**
 * What tests of a volume share: run on a fresh one, remount, check.
 *
 * Layer: tests.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../abi/errno.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync, type VolumeOptions } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";

/** What an ordinary file is made with. */
export const FILE = { mode: 0o100644, uid: 0, gid: 0 };
/** What a directory is made with. */
export const DIRECTORY = { mode: 0o040755, uid: 0, gid: 0 };

/** Runs a test on a fresh volume, remounts it, runs the second part, and checks the image. */
export function onVolume(
  first: (volume: Volume) => void,
  second: (volume: Volume) => void = () => {},
  options: VolumeOptions = {},
): void {
  const handle = memoryHandle();
  let volume = openVolumeSync(handle, options);
  first(volume);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
  volume = openVolumeSync(handle, options);
  assertEquals(volume.report.corrected, []);
  second(volume);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
}

/** Stops unless the call is refused with this error. */
export function fails(code: string, act: () => unknown): void {
  assertThrows(() => void act(), ErrnoError, code);
}
