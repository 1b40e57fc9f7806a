/**
 * Bytes of blocks of an image that is not mounted: as they are on the device, with its records
 * applied.
 *
 * Layer: opfs/volume, over `image.ts`, for check and salvage. The missing part of a file that was
 * cut off reads as zeros.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import type { StorageHandle } from "../../device/handle.ts";
import type { Patch } from "../memory/pool_types.ts";
import type { Image } from "./image.ts";
import { readDevice } from "../state.ts";

/** Fills `into` from byte `inside` of a block on. */
export function readImageBlocks(
  handle: StorageHandle,
  image: Image,
  { into, block, inside = 0 }: { into: Uint8Array; block: number; inside?: number },
): void {
  invariant(
    block >= 0 && inside >= 0,
    "V7: byte {} of block {} of an image is read",
    inside,
    block,
  );
  const { dataOffset, blockSize } = image.superblock;
  const at = dataOffset + block * blockSize + inside;
  const there = Math.max(0, Math.min(into.length, handle.getSize() - at));
  into.fill(0, there);
  if (there > 0) readDevice(handle, into.subarray(0, there), at);
  const first = at - dataOffset;
  const last = Math.floor((first + into.length - 1) / blockSize);
  for (let index = block; index <= last; index++) {
    const origin = index * blockSize - first;
    for (const patch of image.patches.get(index) ?? []) applyPatch(patch, into, origin);
  }
}

/** Copies a replayed patch over `into`; its block begins at `origin` there, which may be negative. */
function applyPatch({ offset, bytes }: Patch, into: Uint8Array, origin: number): void {
  const from = origin + offset;
  const skip = Math.max(0, -from);
  const length = Math.min(bytes.length - skip, into.length - from - skip);
  if (length > 0) into.set(bytes.subarray(skip, skip + length), from + skip);
}
