/**
 * Devices: which driver answers for a device number, whichever backend holds the node.
 *
 * Layer: fs. `registerDevice(dev, ops)` names a driver; opening any S_IFCHR node with that number
 * finds it, else ENXIO. `deviceOf` builds a driver from two byte callbacks, as Emscripten's
 * `createDevice` does.
 *
 * @module
 */
import { Errno, ErrnoError, isErrnoError } from "../abi/errno.ts";
import { isFIFO, isSocket, S_IFBLK, S_IFCHR, S_IFMT } from "../abi/mode.ts";
import type { FSNode, StreamOps } from "../abi/node.ts";
import { integer, refuse, saidBy } from "./arguments.ts";
import type { State } from "./state.ts";

/** Major number of the first device that `createDevice` makes. */
export const DEVICE_MAJOR_BASE = 64;

/** What a device can do before its driver is found: it has no position. */
export const CHRDEV_STREAM_OPS: StreamOps = {
  llseek: () => {
    throw new ErrnoError("ESPIPE", "seek a device");
  },
};

/** Gives a byte, null at the end, or undefined if none has come yet. */
export type DeviceInput = () => number | null | undefined;
/** Takes a byte; null means that the stream is being closed. */
export type DeviceOutput = (byte: number | null) => void;

/** The number of a device. */
export function makedev(major: number, minor: number): number {
  return major << 8 | minor;
}

/** The major part of a device number. */
export function major(dev: number): number {
  return dev >> 8;
}

/** The minor part of a device number. */
export function minor(dev: number): number {
  return dev & 0xff;
}

/** The ops that answer for an open node: its backend's, or its device's driver. ENXIO. */
export function driverOf(state: State, node: FSNode, call: string): StreamOps {
  const type = node.data.mode & S_IFMT;
  if (type === S_IFCHR || type === S_IFBLK) {
    const driver = type === S_IFCHR ? state.devices[node.data.rdev] : undefined;
    if (driver === undefined) refuse("ENXIO", call, node.name);
    return driver.stream_ops as StreamOps;
  }
  if (isSocket(node.data.mode)) refuse("ENXIO", call, node.name);
  return node.stream_ops;
}

/** Whether a stream over the node has no position. */
export function hasNoPosition(node: FSNode, ops: StreamOps): boolean {
  return isFIFO(node.data.mode) || (node.isDevice && ops.llseek === undefined);
}

/** Whether a callback has a line that it has not shown yet. */
function hasPending(output: DeviceOutput): boolean {
  const pending = (): unknown => (output as { buffer?: { length: number } }).buffer?.length;
  return Boolean(saidBy("close a device", pending));
}

/** A driver from callbacks for single bytes. What they throw becomes EIO. */
export function deviceOf(input?: DeviceInput | null, output?: DeviceOutput | null): StreamOps {
  const ops: StreamOps = {
    close(): void {
      if (output && hasPending(output)) guard(output, 10);
    },
  };
  if (input) {
    ops.read = (_stream, buffer, offset, length): number =>
      readBytes(input, buffer, offset, length);
  }
  if (output) {
    ops.write = (_stream, buffer, offset, length): number => {
      for (let index = 0; index < length; index++) guard(output, buffer[offset + index] as number);
      return length;
    };
  }
  return ops;
}

function readBytes(
  input: DeviceInput,
  buffer: Uint8Array,
  offset: number,
  length: number,
): number {
  let count = 0;
  while (count < length) {
    const byte = guard(input);
    if (byte === undefined && count === 0) throw new ErrnoError("EAGAIN", "read the device");
    if (byte === null || byte === undefined) break;
    buffer[offset + count++] = byte;
  }
  return count;
}

/** Calls back; a throw of anything but an ErrnoError is the device's failure. */
function guard<A extends unknown[], R>(callback: (...args: A) => R, ...args: A): R {
  try {
    return callback(...args);
  } catch (error) {
    throw isErrnoError(error) ? error : new ErrnoError(Errno.EIO, "use the device", {
      cause: error,
    });
  }
}

/** A device number that is not used. */
export function freeDevice(state: State): number {
  // No driver is ever taken away, so what was taken once is taken.
  while (state.devices[makedev(state.nextMajor, 0)] !== undefined) state.nextMajor++;
  return makedev(state.nextMajor, 0);
}

/** Calls on drivers and device numbers. */
export interface DeviceCalls {
  /** Names the driver of a device number. */
  registerDevice(dev: number, ops: StreamOps): void;

  /** The driver of a device number, if there is one. */
  getDevice(dev: number): { stream_ops: StreamOps<never> } | undefined;

  /** The number of a device. */
  makedev(ma: number, mi: number): number;

  /** The major part of a device number. */
  major(dev: number): number;

  /** The minor part of a device number. */
  minor(dev: number): number;
}

/** The calls; `this` is the instance. */
export const DEVICE_CALLS: DeviceCalls & ThisType<State> = {
  registerDevice(dev, ops) {
    this.devices[integer(dev, "registerDevice")] = { stream_ops: ops as StreamOps<never> };
  },

  getDevice(dev) {
    return typeof dev === "number" ? this.devices[dev] : undefined;
  },

  makedev(ma, mi) {
    return makedev(integer(ma, "makedev"), integer(mi, "makedev"));
  },

  major(dev) {
    return major(integer(dev, "major"));
  },

  minor(dev) {
    return minor(integer(dev, "minor"));
  },
};
