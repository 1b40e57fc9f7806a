/**
 * The serving loop: from /dev/fuse to a {@link FuseServer} and back, in a thread of its own.
 *
 * Layer: adapters/fuse. The device does not block. Where there is nothing to read the loop sleeps in
 * poll, on the device and on a pipe: a byte in the pipe, or its end, stops the loop. So it never
 * has to be interrupted, and a mount whose last user is gone ends it by itself.
 *
 * What was written and not synced becomes durable after {@link COMMIT_INTERVAL_MS}, at
 * latest.
 *
 * @module
 */
import { LinuxErrno } from "./errno.ts";
import { Reply } from "./reply.ts";
import { Request } from "./request.ts";
import type { FuseServer } from "./server.ts";

/** How long a change may stay not durable, in ms, when no caller asks. */
export const COMMIT_INTERVAL_MS = 5_000;

/** While there is always something to read, the pipe is looked at after so many requests. */
const LOOK_UP_EVERY = 256;

/** The calls that the loop makes; {@link Libc} has them. */
export interface DeviceCalls {
  /** Bytes read, or minus one of Linux's error numbers. */
  read(fd: number, into: Uint8Array<ArrayBuffer>): number;
  /** Bytes written of the first `length`, or minus one of Linux's error numbers. */
  write(fd: number, from: Uint8Array<ArrayBuffer>, length: number): number;
  /** Which of the descriptors have something, waiting up to `timeoutMs` or for ever with -1. */
  poll(fds: readonly number[], timeoutMs: number): boolean[];
}

/** What a session is about. */
export interface SessionOptions {
  /** The calls. */
  libc: DeviceCalls;
  /** The connection to the kernel. */
  device: number;
  /** The end to read of a pipe: anything there stops the loop. */
  stop: number;
  /** Who answers. */
  server: FuseServer;
  /** The time in ms, for the commits. Default `performance.now`. */
  now?: () => number;
  /** Called when a commit fails. Default: console.error. */
  report?: (error: unknown) => void;
}

/** Why a loop ended. */
export type SessionEnd = "unmounted" | "stopped";

/** Serves until the mount is gone or is stopped. Blocks the thread. */
export function serve(options: SessionOptions): SessionEnd {
  return new Session(options).run();
}

class Session {
  readonly #options: SessionOptions;
  readonly #now: () => number;
  readonly #request = new Request();
  readonly #reply = new Reply();
  #served = 0;
  /** When the oldest change that may not be durable was seen. */
  #dirtySince = -1;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  run(): SessionEnd {
    const { libc, device } = this.#options;
    for (;;) {
      const count = libc.read(device, this.#request.bytes);
      if (count > 0) this.#answer(count);
      else if (isEnd(-count)) return "unmounted";
      else if (-count === LinuxErrno.EAGAIN && this.#isStopped(this.#idleMs())) return "stopped";
      if (count > 0 && ++this.#served % LOOK_UP_EVERY === 0 && this.#isStopped(0)) return "stopped";
      this.#commitIfDue();
    }
  }

  #answer(count: number): void {
    const { libc, device, server } = this.#options;
    server.answer(this.#request.load(count), this.#reply);
    // A request that its process has given up in the meantime is ENOENT here, which is no failure.
    if (this.#reply.length > 0) libc.write(device, this.#reply.bytes, this.#reply.length);
  }

  #isStopped(timeoutMs: number): boolean {
    const { libc, device, stop } = this.#options;
    const fds = timeoutMs === 0 ? [stop] : [stop, device];
    return libc.poll(fds, timeoutMs)[0]!;
  }

  /** How long there is time to sleep. */
  #idleMs(): number {
    if (this.#dirtySince < 0) return -1;
    return Math.max(1, Math.ceil(this.#dirtySince + COMMIT_INTERVAL_MS - this.#now()));
  }

  #commitIfDue(): void {
    const { server, report = console.error } = this.#options;
    if (!server.isDirty) {
      this.#dirtySince = -1;
      return;
    }
    const now = this.#now();
    if (this.#dirtySince < 0) this.#dirtySince = now;
    if (now - this.#dirtySince < COMMIT_INTERVAL_MS) return;
    try {
      server.sync();
      this.#dirtySince = -1;
    } catch (error) {
      report(error);
      this.#dirtySince = now;
    }
  }
}

/** ENODEV: unmounted. ECONNABORTED: the kernel was asked to give up. */
function isEnd(errno: number): boolean {
  return errno === LinuxErrno.ENODEV || errno === LinuxErrno.ECONNABORTED;
}
