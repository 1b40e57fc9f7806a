/**
 * SpareAreas: request areas that both sides of a channel have let go, for the next channel.
 *
 * Layer: relay, used by `host.ts`. V8 counts shared memory for no thread, and a worker that answers calls
 * makes little other garbage, so its collector may not run for minutes: without reuse each opening would
 * cost two areas of a mebibyte until then. A channel's words are never used again, since a client asks them
 * why its channel is closed.
 *
 * Use: `createChannelMemory(bytes, spares.take(bytes))`, and `spares.give(area)` once the relay has said
 * that the client has left.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";
import { areaSize, createArea } from "./protocol.ts";

/** So many bytes of areas are kept: those of two clients of the usual size. */
export const SPARE_BYTES_MAX = 4_194_304;

/** Areas that no channel uses. */
export class SpareAreas {
  /** From the oldest on. */
  readonly #areas: SharedArrayBuffer[] = [];
  #bytes = 0;

  /** How many bytes are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * An area for so many bytes: one that is kept, or a new one.
   *
   * @throws {ErrnoError} ENOMEM if there is not so much
   */
  take(areaBytes: number): SharedArrayBuffer {
    const size = areaSize(areaBytes);
    const at = this.#areas.findIndex(({ byteLength }) => byteLength === size);
    if (at < 0) return createArea(areaBytes);
    this.#bytes -= size;
    return this.#areas.splice(at, 1)[0]!;
  }

  /** Keeps an area that neither side will look at again; the oldest ones go where there are too many. */
  give(area: SharedArrayBuffer): void {
    invariant(!this.#areas.includes(area), "R9: an area is given back twice");
    this.#areas.push(area);
    this.#bytes += area.byteLength;
    while (this.#bytes > SPARE_BYTES_MAX) this.#bytes -= this.#areas.shift()!.byteLength;
  }
}

/** What a client that leaves shows its collector. */
const HINT_BYTES = 8_388_608;

/**
 * A client has left: its thread's collector is to run soon. It counts no shared memory, so a thread that
 * calls through areas looks smaller to it than it is, and what the client leaves (pages, buffers that
 * went into its calls) would wait. A buffer that is never touched takes no memory, and is counted.
 */
export function hintCollector(): void {
  try {
    void new ArrayBuffer(HINT_BYTES);
  } catch {
    // Where there is no room for it the collector has run by now.
  }
}
