/**
 * upgradeVolume: one call from a volume of an older format to the same volume in today's.
 *
 * Layer: composer, beside `open.ts`. Where this thread can hold the device it does it itself; a page
 * has a worker do it.
 *
 * Use: `await upgradeVolume("notes")`.
 *
 * @module
 */
import { askWorker } from "./ask_worker.ts";
import type { WorkerGiven } from "../relay/delivery.ts";
import { canHoldDevice, placeOf } from "../relay/place.ts";
import { upgradeImage } from "./upgrade_image.ts";
import type { Progress, TransferReport } from "../volume/upkeep/transfer.ts";

/** How {@link upgradeVolume} goes about it. */
export interface UpgradeVolumeOptions {
  /** The worker that a page needs, where its script is, or how to make one. Default: our own. */
  worker?: WorkerGiven;
  /** How long to wait for another holder to let go, in ms. Default 2,000. */
  busyTimeoutMs?: number;
  /** Hears now and then how many bytes of contents have been copied. */
  onProgress?: (progress: Progress) => void;
  /** Ends it; the old volume is then as it was. */
  signal?: AbortSignal;
}

const DEFAULT_BUSY_TIMEOUT_MS = 2000;

/**
 * Gives a volume that an earlier version made what new ones have: sums of its metadata, so that one
 * turned bit is put right and more is refused. The volume must not be open.
 *
 * The new one is written beside the old one, so there must be room for both, and takes its name when
 * it is whole and has been checked: a crash leaves one of the two. Contents, names, modes, owners,
 * times, links, holes, reservations and attributes are kept, also label, id and limit; numbers of inodes
 * are not.
 *
 * @returns what has been copied; null if the volume has today's format already
 * @throws {ErrnoError} ENOENT, EBUSY if it is open, EIO if it is damaged, EINVAL or ENOTSUP if it is no
 * volume, ENOSPC; or the reason of the signal
 * @example
 * ```ts
 * import { openVolume, upgradeVolume } from "@cairn/fs/opfs";
 * import { assertEquals } from "@std/assert";
 *
 * const name = `${Deno.makeTempDirSync()}/notes.cairn`;
 * await (await openVolume(name)).close();
 * assertEquals(await upgradeVolume(name), null); // it is new
 * ```
 */
export async function upgradeVolume(
  name: string,
  options: UpgradeVolumeOptions = {},
): Promise<TransferReport | null> {
  const { worker, busyTimeoutMs = DEFAULT_BUSY_TIMEOUT_MS, onProgress, signal } = options;
  const place = placeOf(name);
  signal?.throwIfAborted();
  if (canHoldDevice(place)) {
    return await upgradeImage(place, { busyTimeoutMs, onProgress, signal });
  }
  const ask = { type: "upgrade" as const, place, settings: { busyTimeoutMs } };
  const answer = await askWorker(ask, { worker, type: "upgraded", onProgress, signal });
  return answer.report as TransferReport | null;
}
