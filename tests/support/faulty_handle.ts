/**
 * A device whose Nth call fails, once or from then on.
 *
 * Layer: tests. Counts every call that can fail: read, write, truncate, flush.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { NO_SPACE_ANSWER, type StorageHandle } from "../../opfs/device/handle.ts";

type DiskWay = "throwing" | "writing short" | "saying EIO";
type BrowserWay =
  | "throwing QuotaExceededError"
  | "answering -8 and keeping its length"
  | "refusing what it has done";
/** How a call fails, by name. */
export type FaultWay = DiskWay | BrowserWay;

/** How a call of a device fails. It may make the call, or a part of it, all the same. */
interface Way {
  /** What a write answers, or throws. */
  write(handle: StorageHandle, from: Uint8Array, at: number): number;
  /** A truncate, which throws or leaves the length as it is. */
  truncate(handle: StorageHandle, size: number): void;
  /** A flush. */
  flush(handle: StorageHandle): void;
  /** Whether nothing is known after a write or a truncate that has failed so: nothing is written any more. */
  isUnknown?: boolean;
  /** Whether a flush that has failed so says that the device is full. */
  isFull?: boolean;
}

const full = (): never => {
  throw new DOMException("there is no room", "QuotaExceededError");
};
const broken = (what: string) => (): never => {
  throw new Error(`the device does not ${what}`);
};

/** Writes the first half. */
function half(handle: StorageHandle, from: Uint8Array, at: number): number {
  return handle.write(from.subarray(0, from.length >> 1), { at });
}

const throwing: Way = {
  write(handle, from, at) {
    half(handle, from, at);
    return broken("write")();
  },
  truncate: broken("grow"),
  flush: broken("flush"),
};
const io = (): never => {
  throw new ErrnoError("EIO", "use the device");
};

/** Ways in which disks fail, and after these the ones in which browsers do when they are full. */
const DISKS: Record<DiskWay, Way> = {
  "throwing": throwing,
  "writing short": { ...throwing, write: half },
  "saying EIO": {
    write(handle, from, at) {
      half(handle, from, at);
      return io();
    },
    truncate: io,
    flush: broken("flush"),
    isUnknown: true,
  },
};
const BROWSERS: Record<BrowserWay, Way> = {
  "throwing QuotaExceededError": { write: full, truncate: full, flush: full, isFull: true },
  "answering -8 and keeping its length": {
    write: () => NO_SPACE_ANSWER,
    truncate: () => {},
    flush: full,
    isFull: true,
  },
  "refusing what it has done": {
    write(handle, from, at) {
      handle.write(from, { at });
      return full();
    },
    truncate(handle, size) {
      handle.truncate(size);
      full();
    },
    flush(handle) {
      handle.flush();
      full();
    },
    isFull: true,
  },
};
const WAYS: Record<FaultWay, Way> = { ...DISKS, ...BROWSERS };

/** The ways of disks. */
export const diskWays: readonly FaultWay[] = Object.keys(DISKS) as FaultWay[];
/** The ways of browsers that are full. */
export const browserWays: readonly FaultWay[] = Object.keys(BROWSERS) as FaultWay[];

/** Which calls fail. */
export interface Fault {
  /** The first call that fails, from 1 on. */
  call: number;
  /** Whether all later ones fail too. */
  isForEver: boolean;
  /** Default: "throwing". */
  way?: FaultWay;
}

/** Passes on what does not fail. */
export class FaultyHandle implements StorageHandle {
  readonly #handle: StorageHandle;
  readonly #fault: Fault;
  readonly #way: Way;
  /** Calls so far. */
  calls = 0;
  /** Calls so far, by name. */
  readonly counts: Record<"read" | "write" | "truncate" | "flush", number> = {
    read: 0,
    write: 0,
    truncate: 0,
    flush: 0,
  };
  /** Whether a flush has failed, or something else whose outcome is unknown. */
  hasFailedFlush = false;
  /** Writes and cuts after that: there must be none. */
  writesAfterFailure = 0;

  /** `handle` with a fault. */
  constructor(handle: StorageHandle, fault: Fault) {
    this.#handle = handle;
    this.#fault = fault;
    this.#way = WAYS[fault.way ?? "throwing"];
  }

  /** Counts a call; whether it fails. */
  #fails(name: keyof FaultyHandle["counts"]): boolean {
    this.calls++;
    this.counts[name]++;
    if (this.hasFailedFlush && (name === "write" || name === "truncate")) this.writesAfterFailure++;
    const { call, isForEver } = this.#fault;
    return isForEver ? this.calls >= call : this.calls === call;
  }

  read(into: Uint8Array, options: { at: number }): number {
    if (this.#fails("read")) throw new Error("the device does not read");
    return this.#handle.read(into, options);
  }

  write(from: Uint8Array, options: { at: number }): number {
    if (!this.#fails("write")) return this.#handle.write(from, options);
    if (this.#way.isUnknown === true) this.hasFailedFlush = true;
    return this.#way.write(this.#handle, from, options.at);
  }

  truncate(size: number): void {
    if (!this.#fails("truncate")) return this.#handle.truncate(size);
    if (this.#way.isUnknown === true) this.hasFailedFlush = true;
    this.#way.truncate(this.#handle, size);
  }

  flush(): void {
    if (!this.#fails("flush")) return this.#handle.flush();
    if (this.#way.isFull !== true) this.hasFailedFlush = true;
    this.#way.flush(this.#handle);
  }

  getSize(): number {
    return this.#handle.getSize();
  }

  close(): void {
    this.#handle.close();
  }
}
