/**
 * An image from a stream to a volume's place, in this thread.
 *
 * Layer: above the engine and the devices; used by `import_volume.ts` where this thread can hold a
 * device, and by the relay's worker for a page that cannot. The holder of the name keeps it until the
 * new volume is whole and checked.
 *
 * @module
 */
import { HeartbeatHandle } from "../device/heartbeat_handle.ts";
import { type NewFile, newHostFile, newOpfsFile } from "../device/new_file.ts";
import type { VolumePlace } from "../relay/messages.ts";
import { takeVolumeLock } from "../relay/volume_lock.ts";
import { importImage } from "../volume/tools/image_import.ts";
import type { Report } from "../volume/format/report.ts";

/** How {@link bringImage} goes about it. */
export interface BringOptions {
  /** Whether a volume that has the name already is replaced. */
  replace: boolean;
  /** How long to wait for another holder to let go, in ms. */
  busyTimeoutMs: number;
  /** Called around each call of the device, which shows that the thread lives. */
  onLife?: () => void;
}

/**
 * Makes the volume at a place from an image.
 *
 * @throws {ErrnoError} EEXIST, EBUSY, EINVAL, ENOTSUP, EIO, ENOSPC
 */
export async function bringImage(
  image: ReadableStream<Uint8Array>,
  place: VolumePlace,
  options: BringOptions,
): Promise<Report> {
  const { replace, busyTimeoutMs, onLife = () => {} } = options;
  let release = (): void => {};
  let file: NewFile | null = null;
  try {
    if (place.kind === "opfs") {
      release = await takeVolumeLock(place.path, { timeoutMs: busyTimeoutMs });
    }
    const fileOptions = { replace, deadlineMs: busyTimeoutMs };
    file = place.kind === "opfs"
      ? await newOpfsFile(place.path, fileOptions)
      : await newHostFile(place.path, fileOptions);
    const report = await importImage(image, new HeartbeatHandle(file.handle, onLife));
    await file.keep();
    return report;
  } catch (error) {
    if (!image.locked) await image.cancel().catch(() => {});
    throw error;
  } finally {
    await file?.discard();
    release();
  }
}
