/**
 * Character devices: null, zero, full, random, urandom, and terminals over callbacks.
 *
 * Layer: stream_ops. A driver is an op table by device number. `fs/` looks a driver up for every
 * S_IFCHR node that is opened, whichever backend holds the node; `node_ops/devfs.ts` makes the nodes
 * in /dev. To add a device, add a driver here and a name there.
 *
 * Use: `for (const [dev, ops] of deviceDrivers()) FS.registerDevice(dev, ops)`.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../abi/errno.ts";
import type { StreamOps } from "../abi/node.ts";

/** Gives a byte, null at the end of input, undefined when none has come yet. */
export type ByteInput = () => number | null | undefined;
/** Takes a byte; null says that what came so far is complete. */
export type ByteOutput = (byte: number | null) => void;

/** Where terminals read and write. */
export interface TerminalOptions {
  /** Bytes typed. Default: the end of input. */
  stdin?: ByteInput;
  /** Bytes written to /dev/tty. Default: whole lines to `console.log`. */
  stdout?: ByteOutput;
  /** Bytes written to /dev/tty1. Default: whole lines to `console.error`. */
  stderr?: ByteOutput;
}

/** Device numbers, major << 8 | minor, as Linux and Emscripten have them. */
export const DEVICE = {
  null: 0x0103,
  zero: 0x0105,
  full: 0x0107,
  random: 0x0108,
  urandom: 0x0109,
  tty: 0x0500,
  tty1: 0x0600,
} as const;

/** The most that one call of `crypto.getRandomValues` fills is 65,536 bytes; this is kinder. */
const SCRATCH_BYTES = 4096;
const NEWLINE = 10;
const TCGETS = 0x5401;
const TCSETSF = 0x5404;
const TIOCGWINSZ = 0x5413;

/** Nothing to read, and a position that stays at the start. */
function nothing(): number {
  return 0;
}

function swallow(_stream: unknown, _buffer: Uint8Array, _offset: number, length: number): number {
  return length;
}

function zeros(_stream: unknown, buffer: Uint8Array, offset: number, length: number): number {
  buffer.fill(0, offset, offset + length);
  return length;
}

function isFull(_stream: unknown, _buffer: Uint8Array, _offset: number, length: number): number {
  if (length === 0) return 0;
  throw new ErrnoError("ENOSPC", "write to the full device");
}

/** Random bytes come by way of private memory: browsers refuse to fill a shared view. */
function randomOps(): StreamOps {
  const scratch = new Uint8Array(SCRATCH_BYTES);
  return {
    llseek: nothing,
    write: swallow,
    read(_stream, buffer, offset, length): number {
      for (let done = 0; done < length; done += SCRATCH_BYTES) {
        const piece = scratch.subarray(0, Math.min(SCRATCH_BYTES, length - done));
        buffer.set(crypto.getRandomValues(piece), offset + done);
      }
      scratch.fill(0);
      return length;
    },
  };
}

/** Collects bytes and hands out lines of text, without the newline. */
class LineWriter {
  readonly #print: (line: string) => void;
  #bytes: number[] = [];

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  put(byte: number | null): void {
    if (byte !== null && byte !== NEWLINE) {
      this.#bytes.push(byte);
    } else if (byte === NEWLINE || this.#bytes.length > 0) {
      const line = new Uint8Array(this.#bytes);
      this.#bytes = [];
      this.#print(new TextDecoder().decode(line));
    }
  }
}

/** Output that arrives as whole lines of text. */
export function lineOutput(print: (line: string) => void): ByteOutput {
  const writer = new LineWriter(print);
  return (byte) => writer.put(byte);
}

/** Calls back; whatever the callback throws is the device's failure. */
function guard<R>(work: () => R): R {
  try {
    return work();
  } catch (error) {
    if (isErrnoError(error)) throw error;
    throw new ErrnoError("EIO", "use the terminal", { cause: error });
  }
}

/** Bytes until the end of a line, as a terminal gives them. */
function readLine(input: ByteInput, buffer: Uint8Array, offset: number, length: number): number {
  for (let count = 0; count < length;) {
    const byte = input();
    if (byte === undefined && count === 0) throw new ErrnoError("EAGAIN", "read the terminal");
    if (byte === undefined || byte === null) return count;
    buffer[offset + count++] = byte;
    if (byte === NEWLINE) return count;
  }
  return length;
}

/** A terminal: reads lines, writes bytes, says by ioctl that it is one. It has no position. */
export function terminalOps(input: ByteInput, output: ByteOutput): StreamOps {
  const flush = (): void => guard(() => output(null));
  return {
    read: (_stream, buffer, offset, length) => guard(() => readLine(input, buffer, offset, length)),
    write(_stream, buffer, offset, length): number {
      guard(() => {
        for (let index = 0; index < length; index++) output(buffer[offset + index]!);
      });
      return length;
    },
    fsync: flush,
    close: flush,
    ioctl(_stream, request): number {
      const known = request >= TCGETS && request <= TCSETSF || request === TIOCGWINSZ;
      if (!known) throw new ErrnoError("EINVAL", `ask the terminal for ${request}`);
      return 0;
    },
  };
}

function noInput(): null {
  return null;
}

/** The drivers of every device in /dev, by device number. */
export function deviceDrivers(options: TerminalOptions = {}): ReadonlyMap<number, StreamOps> {
  const stdin = options.stdin ?? noInput;
  const stdout = options.stdout ?? lineOutput((line) => console.log(line));
  const stderr = options.stderr ?? lineOutput((line) => console.error(line));
  const random = randomOps();
  return new Map<number, StreamOps>([
    [DEVICE.null, { read: nothing, write: swallow, llseek: nothing }],
    [DEVICE.zero, { read: zeros, write: swallow, llseek: nothing }],
    [DEVICE.full, { read: zeros, write: isFull, llseek: nothing }],
    [DEVICE.random, random],
    [DEVICE.urandom, random],
    [DEVICE.tty, terminalOps(stdin, stdout)],
    [DEVICE.tty1, terminalOps(stdin, stderr)],
  ]);
}
