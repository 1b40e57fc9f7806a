/**
 * An image from a stream onto a device, where it becomes a volume only when all of it is there and
 * nothing is wrong with it.
 *
 * Layer: opfs/volume. Headers and superblock are kept back until the end: an import that is interrupted
 * leaves bytes that are not taken for a volume, and are not formatted over.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { answerOf, requireWhole, type StorageHandle } from "../../device/handle.ts";
import { checkVolume } from "./check.ts";
import { isFullFlush } from "../journal/flush.ts";
import * as L from "../format/layout.ts";
import type { Report } from "../format/report.ts";
import { isUnknownOutcome, readDevice } from "../state.ts";

/** How {@link importImage} takes an image. */
export interface ImageOptions {
  /** Called after each piece with the bytes that have come. */
  onProgress?: (doneBytes: number) => void;
}

/**
 * Writes an image onto an empty device, checks it, makes it durable, and returns what the check
 * found. The handle is left open. When it fails, the device is empty again; one that
 * has failed itself is not written any more.
 *
 * @throws {ErrnoError} EEXIST if something is on the device, EINVAL or ENOTSUP if what came is no
 * volume, EIO for a damaged one, ENOSPC
 * @example
 * ```ts
 * import { formatVolume, importImage, memoryHandle, openVolumeSync } from "@cairn/fs/opfs";
 *
 * const source = memoryHandle();
 * formatVolume(source, { label: "notes" });
 * const target = memoryHandle();
 * await importImage(new Blob([source.toBytes()]).stream(), target);
 * openVolumeSync(target, { create: false }).close();
 * ```
 */
export async function importImage(
  image: ReadableStream<Uint8Array>,
  handle: StorageHandle,
  options: ImageOptions = {},
): Promise<Report> {
  if (handle.getSize() !== 0) {
    await image.cancel();
    throw new ErrnoError("EEXIST", "import an image", { why: "there is something on the device" });
  }
  const arriving = new ArrivingImage(handle);
  try {
    for await (const piece of piecesOf(image)) {
      arriving.take(piece);
      options.onProgress?.(arriving.doneBytes);
    }
    return arriving.finish();
  } catch (error) {
    arriving.discard();
    throw error;
  }
}

/** Not every browser can iterate over a stream. */
async function* piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let isOver = false;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      isOver = done;
      if (done) return;
      if (!(value instanceof Uint8Array)) {
        throw new ErrnoError("EINVAL", "import an image", {
          why: "the stream is not one of bytes",
        });
      }
      yield value;
    }
  } catch (error) {
    isOver = true;
    throw error;
  } finally {
    if (!isOver) await reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}

/** The device as it will be: its first bytes are still in memory. */
class ArrivingImage implements StorageHandle {
  readonly #handle: StorageHandle;
  readonly #head = new Uint8Array(L.RING_AT);
  /** What the device holds is not known: nothing is written any more. */
  #hasFailed = false;
  /** Bytes that have come. */
  doneBytes = 0;

  constructor(handle: StorageHandle) {
    this.#handle = handle;
  }

  take(piece: Uint8Array): void {
    const inHead = Math.max(0, Math.min(piece.length, L.RING_AT - this.doneBytes));
    if (inHead > 0) this.#head.set(piece.subarray(0, inHead), this.doneBytes);
    const rest = piece.subarray(inHead);
    if (rest.length > 0) this.#put(rest, this.doneBytes + inHead);
    this.doneBytes += piece.length;
  }

  /** Checks what is there; if it is good it gets its head, and is a volume. */
  finish(): Report {
    const report = checkVolume(this);
    // A stream that ends early was cut off on the way, even where nothing is missing of what is there.
    const [worst] = report.violations.filter(({ rule, isDerivable }) =>
      !isDerivable || rule === "V7"
    );
    if (worst !== undefined) {
      throw new ErrnoError("EIO", "import a damaged image", {
        why: `${worst.rule}: ${worst.message}`,
      });
    }
    this.#flush();
    this.#put(this.#head.subarray(L.HEADER_A_AT), L.HEADER_A_AT);
    this.#flush();
    this.#put(this.#head.subarray(0, L.HEADER_A_AT), 0);
    this.#flush();
    return report;
  }

  #put(bytes: Uint8Array, at: number): void {
    let count: number;
    try {
      count = this.#handle.write(bytes, { at });
    } catch (error) {
      this.#hasFailed = isUnknownOutcome(error);
      const code = this.#hasFailed ? "EIO" : "ENOSPC";
      throw new ErrnoError(code, "import an image", {
        why: "the device does not write",
        cause: error,
      });
    }
    this.#hasFailed = answerOf(count, bytes.length) === "unknown";
    requireWhole(count, bytes.length, "import an image");
  }

  #flush(): void {
    try {
      this.#handle.flush();
    } catch (error) {
      this.#hasFailed = !isFullFlush(error);
      const code = this.#hasFailed ? "EIO" : "ENOSPC";
      throw new ErrnoError(code, "import an image", {
        why: "the device does not flush",
        cause: error,
      });
    }
  }

  /** The device is empty again, if it can be. */
  discard(): void {
    if (this.#hasFailed) return;
    try {
      this.#handle.truncate(0);
      this.#handle.flush();
    } catch {
      // Without a head it is not taken for a volume.
    }
  }

  read(into: Uint8Array, { at }: { at: number }): number {
    const inHead = Math.max(0, Math.min(into.length, L.RING_AT - at));
    if (inHead > 0) into.set(this.#head.subarray(at, at + inHead));
    if (inHead < into.length) {
      readDevice(this.#handle, into.subarray(inHead), at + inHead);
    }
    return into.length;
  }

  getSize(): number {
    return this.doneBytes;
  }

  write(): number {
    return 0;
  }

  truncate(): void {}

  flush(): void {}

  close(): void {}
}
