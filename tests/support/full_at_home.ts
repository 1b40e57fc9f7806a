/**
 * A device of which nothing after a volume's journal can be written while it is full: what is in the
 * ring finds no room at home.
 *
 * Layer: tests. For volumes with the shortest ring.
 *
 * @module
 */
import type { StorageHandle } from "../../opfs/device/handle.ts";
import * as L from "../../opfs/volume/format/layout.ts";

/** `handle` while `isFull` says no. */
export function fullAtHome(handle: StorageHandle, isFull: () => boolean): StorageHandle {
  return {
    read: (into, options) => handle.read(into, options),
    write: (from, options) => {
      if (isFull() && options.at >= L.RING_AT + L.RING_BYTES_MIN) return 0;
      return handle.write(from, options);
    },
    getSize: () => handle.getSize(),
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
    flush: () => handle.flush(),
    close: () => {},
  };
}
