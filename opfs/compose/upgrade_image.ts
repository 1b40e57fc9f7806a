/**
 * The upgrade of a volume at its place, in this thread.
 *
 * Layer: composer, above the engine and the devices; used by `upgrade_volume.ts` where this thread can
 * hold a device, and by the relay's worker for a page that cannot. The new volume is written beside the
 * old one and takes its name when it is whole and checked: a crash at any moment leaves the old one, or
 * the new one.
 *
 * @module
 */
import { fileHandle } from "../device/file.ts";
import { HeartbeatHandle } from "../device/heartbeat_handle.ts";
import type { StorageHandle } from "../device/handle.ts";
import { type NewFile, newHostFile, newOpfsFile } from "../device/new_file.ts";
import { openOpfsHandle } from "../device/opfs.ts";
import type { VolumePlace } from "../relay/messages.ts";
import { takeVolumeLock } from "../relay/volume_lock.ts";
import type { Progress, TransferReport } from "../volume/upkeep/transfer.ts";
import { isOlderFormat, upgradeSteps } from "../volume/tools/upgrade.ts";

/** How {@link upgradeImage} goes about it. */
export interface UpgradeImageOptions {
  /** How long to wait for another holder to let go, in ms. */
  busyTimeoutMs: number;
  /** Hears now and then how far it is. */
  onProgress?: (progress: Progress) => void;
  /** Ends it between two steps; the old volume is then as it was. */
  signal?: AbortSignal;
  /** Called around each call of the device, which shows that the thread lives. */
  onLife?: () => void;
}

/** How long the copy goes on between two turns of the event loop. */
const SLICE_MS = 40;

/**
 * Gives the volume at a place today's format; null if it has it already.
 *
 * @throws {ErrnoError} ENOENT, EBUSY, EINVAL, ENOTSUP, EIO for a damaged one, ENOSPC; or the reason of
 * the signal
 */
export async function upgradeImage(
  place: VolumePlace,
  options: UpgradeImageOptions,
): Promise<TransferReport | null> {
  const { busyTimeoutMs } = options;
  const isOpfs = place.kind === "opfs";
  const release = isOpfs
    ? await takeVolumeLock(place.path, { timeoutMs: busyTimeoutMs })
    : () => {};
  let old: StorageHandle | null = null;
  let file: NewFile | null = null;
  try {
    options.signal?.throwIfAborted();
    old = await openOld(place, busyTimeoutMs);
    if (!isOlderFormat(old)) return null;
    old.close();
    const fileOptions = { replace: true, isReplacement: true, deadlineMs: busyTimeoutMs };
    file = isOpfs
      ? await newOpfsFile(place.path, fileOptions)
      : await newHostFile(place.path, fileOptions);
    // The name is held only now: before, another process may have replaced the image. Also, a browser
    // gives out one handle of a file at a time, and the new file has taken it.
    old = await openOld(place, busyTimeoutMs);
    if (!isOlderFormat(old)) return null;
    const report = await copy(old, file.handle, options);
    old.close();
    await file.keep();
    return report;
  } finally {
    old?.close();
    await file?.discard();
    release();
  }
}

/** The old volume. On a host reading takes no lock: the file that is made beside it has it. */
function openOld({ kind, path }: VolumePlace, deadlineMs: number): Promise<StorageHandle> {
  if (kind === "opfs") return openOpfsHandle(path, { create: false, deadlineMs });
  return Promise.resolve().then(() => fileHandle(path, { create: false, readOnly: true }));
}

async function copy(
  old: StorageHandle,
  target: StorageHandle,
  { onProgress, signal, onLife = () => {} }: UpgradeImageOptions,
): Promise<TransferReport> {
  const steps = upgradeSteps(old, new HeartbeatHandle(target, onLife));
  for (let pauseAt = performance.now() + SLICE_MS;;) {
    signal?.throwIfAborted();
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() < pauseAt) continue;
    onProgress?.(step.value);
    await new Promise((resolve) => setTimeout(resolve, 0));
    pauseAt = performance.now() + SLICE_MS;
  }
}
