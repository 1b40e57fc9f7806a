/**
 * importVolume: one call from the image in a stream to a volume with a name.
 *
 * Layer: composer, beside `open.ts`. Where this thread can hold the device it does it itself; a page
 * has a worker do it, and sends the pieces there.
 *
 * Use: `await importVolume(response.body, { name: "notes" })`.
 *
 * @module
 */
import { bringImage } from "./bring_image.ts";
import { askWorker } from "./ask_worker.ts";
import type { WorkerGiven } from "../relay/delivery.ts";
import type { VolumePlace } from "../relay/messages.ts";
import { sendPieces } from "../relay/pieces.ts";
import { canHoldDevice, placeOf } from "../relay/place.ts";
import type { Report } from "../volume/format/report.ts";

/** How {@link importVolume} makes a volume. */
export interface ImportVolumeOptions {
  /** The volume's name. In a browser `/<name>.cairn`, under Deno `./<name>.cairn` or a path. */
  name: string;
  /** Whether a volume that has the name already is replaced. Default false: EEXIST. */
  replace?: boolean;
  /** The worker that a page needs, where its script is, or how to make one. Default: our own. */
  worker?: WorkerGiven;
  /** How long to wait for another holder to let go, in ms. Default 2,000. */
  busyTimeoutMs?: number;
  /** Called with the number of bytes that have come. */
  onProgress?: (doneBytes: number) => void;
}

const DEFAULT_BUSY_TIMEOUT_MS = 2000;

/**
 * Makes a volume from an image, such as `exportImage()` gives. It is written beside its name and
 * takes it when it is whole and has been checked; until then whatever has the name keeps it.
 *
 * @throws {ErrnoError} EEXIST, EBUSY if the volume is open, EINVAL or ENOTSUP if what comes is no
 * volume, EIO for a damaged one, ENOSPC
 * @example
 * ```ts
 * import { importVolume, openVolume } from "@cairn/fs/opfs";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * await using volume = await openVolume(`${folder}/notes.cairn`);
 * volume.create(volume.root, "a.txt", { mode: 0o100644, uid: 0, gid: 0 });
 * const report = await importVolume(volume.exportImage(), { name: `${folder}/backup.cairn` });
 * assertEquals([report.clean, report.files], [true, 1]);
 * ```
 */
export async function importVolume(
  image: ReadableStream<Uint8Array>,
  options: ImportVolumeOptions,
): Promise<Report> {
  const { name, replace = false, busyTimeoutMs = DEFAULT_BUSY_TIMEOUT_MS, onProgress } = options;
  const place = placeOf(name);
  const settings = { replace, busyTimeoutMs };
  const counted = onProgress === undefined ? image : countingStream(image, onProgress);
  if (canHoldDevice(place)) return await bringImage(counted, place, settings);
  return await importElsewhere(counted, place, { settings, worker: options.worker });
}

/** The same bytes, counted as they pass. */
function countingStream(
  image: ReadableStream<Uint8Array>,
  onProgress: (doneBytes: number) => void,
): ReadableStream<Uint8Array> {
  const reader = image.getReader();
  let doneBytes = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      const { value, done } = await reader.read();
      if (done) return controller.close();
      controller.enqueue(value);
      onProgress(doneBytes += value.length);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

async function importElsewhere(
  image: ReadableStream<Uint8Array>,
  place: VolumePlace,
  how: { settings: { replace: boolean; busyTimeoutMs: number }; worker: WorkerGiven | undefined },
): Promise<Report> {
  const { settings, worker } = how;
  const { port1, port2 } = new MessageChannel();
  const cancel = sendPieces(port1, image);
  try {
    const ask = { type: "import" as const, place, settings, port: port2 };
    const answer = await askWorker(ask, { worker, type: "imported", transfer: [port2] });
    return answer.report as Report;
  } finally {
    // A worker that has died does not ask for the rest, and does not say so.
    await cancel();
    port1.close();
  }
}
