/**
 * StorageHandle: random-access bytes, all that the engine asks of a device.
 *
 * Layer: device (imports nothing). Exactly the shape of the browser's sync access handle, so the
 * real one is a StorageHandle without a wrapper. `memory.ts`, `file.ts` and `opfs.ts` beside this
 * file make them; a test makes its own to count, cut and fail calls.
 *
 * What the engine relies on, and nothing more:
 * - `write` takes all bytes or is refused: a throw, or any count but the one asked for, means that
 *   the device is full or broken, and how many bytes landed is unknown.
 * - Writing past the end extends the file; what lies between reads as zeros.
 * - What was written before a `flush` that returned survives a power cut. What was written after
 *   it may be kept, lost, or torn at any 512-byte boundary, in any order.
 * - Views on shared memory are taken by `read` and `write`.
 *
 * @module
 */

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
  /** Bytes by which it could grow, as far as it knows; absent where nobody can tell. */
  getSpareBytes?(): number;
}
