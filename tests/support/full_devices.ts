/**
 * Devices that are full in the ways in which real browsers are: a table, by what they do.
 *
 * Layer: tests. Each is bounded by `limit`, which a test moves; the bytes are in `inner`.
 *
 * @module
 */
import { BrowserHandle } from "../../opfs/device/browser_handle.ts";
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { type MemoryHandle, memoryHandle } from "../../opfs/device/memory.ts";

const PAGE_BYTES = 4096;
const NO_SPACE = 4294967288;

/** How a device says that it is full. */
interface Manner {
  /** The answer to a write that does not fit, of which `fits` bytes would; it may throw. */
  write(device: FullDevice, from: Uint8Array, at: number, fits: number): number;
  /** Whether a truncate beyond the limit throws; else it changes nothing. */
  throws: boolean;
  /** Whether making it longer takes no room, and writing new pages does. */
  reserves: boolean;
}

function full(): never {
  throw new DOMException("no room", "QuotaExceededError");
}

/** A device that has room for `limit` bytes. */
export class FullDevice implements StorageHandle {
  /** What is on it. */
  readonly inner: MemoryHandle = memoryHandle();
  /** Bytes that there is room for: of length, or of pages that were written. */
  limit: number = Infinity;
  /** Calls that were refused. */
  refused = 0;
  readonly #manner: Manner;
  readonly #pages = new Set<number>();

  /** An empty device with room for everything. */
  constructor(manner: Manner) {
    this.#manner = manner;
  }

  /** Bytes that count against the limit. */
  get used(): number {
    return this.#manner.reserves ? this.inner.getSize() : this.#pages.size * PAGE_BYTES;
  }

  read(into: Uint8Array, { at }: { at: number }): number {
    return this.inner.read(into, { at });
  }

  write(from: Uint8Array, { at }: { at: number }): number {
    const fits = this.#fits(at, from.length);
    if (fits >= from.length) return this.land(from, at);
    this.refused++;
    return this.#manner.write(this, from, at, fits);
  }

  /** Writes whatever the limit says. */
  land(from: Uint8Array, at: number): number {
    const last = Math.floor((at + from.length - 1) / PAGE_BYTES);
    for (let page = Math.floor(at / PAGE_BYTES); page <= last; page++) this.#pages.add(page);
    return this.inner.write(from, { at });
  }

  #fits(at: number, length: number): number {
    if (this.#manner.reserves) return Math.max(0, Math.floor(this.limit) - at);
    let left = this.limit / PAGE_BYTES - this.#pages.size;
    for (let end = at; end < at + length; end = (Math.floor(end / PAGE_BYTES) + 1) * PAGE_BYTES) {
      if (!this.#pages.has(Math.floor(end / PAGE_BYTES)) && --left < 0) return end - at;
    }
    return length;
  }

  truncate(size: number): void {
    if (this.#manner.reserves && size > Math.max(this.limit, this.inner.getSize())) {
      this.refused++;
      if (this.#manner.throws) full();
      return;
    }
    for (const page of this.#pages) if (page * PAGE_BYTES >= size) this.#pages.delete(page);
    this.inner.truncate(size);
  }

  getSize(): number {
    return this.inner.getSize();
  }

  flush(): void {}

  close(): void {}
}

/** One kind of full device. */
export interface FullDeviceRow {
  /** What it does, for names of tests. */
  name: string;
  /** Whether bytes of a write that was refused may be there. */
  lands: boolean;
  /** Whether what a volume has accepted must find room at its commit. */
  keepsRoom: boolean;
  /** A new one, and the handle that a volume gets. */
  make(): { device: FullDevice; handle: StorageHandle };
}

function row(
  name: string,
  manner: Manner,
  { lands = false, isWrapped = false }: { lands?: boolean; isWrapped?: boolean } = {},
): FullDeviceRow {
  return {
    name,
    lands,
    keepsRoom: manner.reserves || isWrapped,
    make() {
      const device = new FullDevice(manner);
      return { device, handle: isWrapped ? new BrowserHandle(device) : device };
    },
  };
}

const throwing: Manner = { write: () => full(), throws: true, reserves: true };
const minusEight: Manner = { write: () => NO_SPACE, throws: true, reserves: true };
const silent: Manner = { write: () => NO_SPACE, throws: false, reserves: true };
const short: Manner = {
  write: (device, from, at, fits) => fits === 0 ? 0 : device.land(from.subarray(0, fits), at),
  throws: false,
  reserves: true,
};
const landing: Manner = {
  write(device, from, at) {
    device.land(from, at);
    return full();
  },
  throws: true,
  reserves: true,
};
const bare: Manner = { write: () => full(), throws: true, reserves: false };
const bareShort: Manner = { ...short, reserves: false };
const bareEight: Manner = { ...minusEight, reserves: false };

/** Every kind. Those of which a browser makes no length are wrapped, as `openOpfsHandle` does. */
export const fullDevices: readonly FullDeviceRow[] = [
  row("throws QuotaExceededError", throwing),
  row("answers -8", minusEight),
  row("answers -8 and truncates silently", silent),
  row("writes short and truncates silently", short),
  row("refuses what has landed", landing, { lands: true }),
  row("reserves nothing and answers -8", bareEight),
  row("wrapped, throws QuotaExceededError", throwing, { isWrapped: true }),
  row("wrapped, answers -8 and truncates silently", silent, { isWrapped: true }),
  row("wrapped, writes short and truncates silently", short, { isWrapped: true }),
  row("wrapped, reserves nothing", bare, { isWrapped: true }),
  row("wrapped, reserves nothing and writes short", bareShort, { isWrapped: true }),
  row("wrapped, reserves nothing and answers -8", bareEight, { isWrapped: true }),
];
