/**
 * StorageHandle: random-access bytes, all that the engine asks of a device.
 *
 * Layer: device. The shape of the browser's sync access handle, and a little more;
 * `browser_handle.ts` makes a real one behave as is said here. `memory.ts`, `file.ts` and `opfs.ts`
 * beside this file make them; a test makes its own to count, cut and fail calls.
 *
 * What the engine relies on, and nothing more:
 * - `write` takes all bytes or is refused: a throw, or any count but the one asked for, means that
 *   the device is full or broken (`answerOf`). After a throw it is unknown how many bytes landed.
 * - `truncate` to more bytes is refused by a throw, or by a size that has not followed.
 * - Writing past the end extends the file; what lies between reads as zeros.
 * - A `flush` that throws says that it is full by the name QuotaExceededError, or ENOSPC or EDQUOT as
 *   `code`. What was written since the one before may be stored or not, whatever later ones answer.
 * - What was written before a `flush` that returned survives a power cut. What was written after
 *   it may be kept, lost, or torn at any 512-byte boundary, in any order.
 * - Views on shared memory are taken by `read` and `write`.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";

/** Random-access bytes with the shape of a FileSystemSyncAccessHandle. */
export interface StorageHandle {
  /** Bytes read; fewer than asked only at the end of the file. */
  read(into: Uint8Array, options: { at: number }): number;
  /** Bytes written. */
  write(from: Uint8Array, options: { at: number }): number;
  /** Length in bytes. */
  getSize(): number;
  /** Cuts, or extends with zeros. */
  truncate(sizeBytes: number): void;
  /** Makes everything written so far durable. */
  flush(): void;
  /** Lets go. Does not flush. */
  close(): void;
  /**
   * Whether making it longer takes no room yet, so that a write inside of it may be refused for want
   * of room. A volume then sees to it that what it accepts has room. Absent: no.
   */
  readonly isSparse?: boolean;
  /** Bytes by which it could grow, as far as it knows; absent where that is not known. */
  getSpareBytes?(): number;
  /** Bytes that it may come to have by an estimate: to be reported, not to refuse anything for. */
  getQuotaBytes?(): number;
}

/** What Chromium up to 150 answers for a write to a full disk: -8, NO_SPACE, without a sign. */
export const NO_SPACE_ANSWER: number = 2 ** 32 - 8;

/**
 * What a device says by the count that a write has returned. `"full"`: everything may be tried again
 * when there is room. `"unknown"`: nothing that it says can be believed.
 *
 * @example
 * ```ts
 * import { answerOf } from "@cairn/fs/opfs";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([answerOf(10, 10), answerOf(4, 10), answerOf(-16, 10)], ["whole", "full", "unknown"]);
 * ```
 */
export function answerOf(count: number, asked: number): "whole" | "full" | "unknown" {
  if (count === asked) return "whole";
  const isShort = count >= 0 && count < asked;
  return isShort || count === NO_SPACE_ANSWER ? "full" : "unknown";
}

/**
 * Stops unless a write has taken all bytes, for tools that do not try again.
 *
 * @throws {ErrnoError} ENOSPC, EIO
 * @example
 * ```ts
 * import { requireWhole } from "@cairn/fs/opfs";
 * import { assertThrows } from "@std/assert";
 *
 * requireWhole(10, 10, "copy");
 * assertThrows(() => requireWhole(4, 10, "copy"), Error, "ENOSPC");
 * ```
 */
export function requireWhole(count: number, asked: number, action: string): void {
  const answer = answerOf(count, asked);
  if (answer === "whole") return;
  if (answer === "full") throw new ErrnoError("ENOSPC", action, { why: "the device is full" });
  throw new ErrnoError(
    "EIO",
    action,
    { why: `the device says that it wrote ${count} of ${asked} bytes` },
  );
}
