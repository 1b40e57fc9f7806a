/**
 * Calls by messages: a volume that another thread owns, for a page that may not share memory.
 *
 * Layer: relay, beside `promises.ts`. Without cross-origin isolation there is no SharedArrayBuffer,
 * hence no channel and no synchronous call; promises need neither. A call is one message, and so is
 * its answer, over a port of the client's own. Calls are carried out in the order in which they
 * were made, because the volume's thread does one thing at a time.
 *
 * Use: the worker calls `serveCalls(port, volume, stats)`; the page `new PortPromises(port, …)`.
 *
 * @module
 */
import { requireBytes } from "../../abi/bytes.ts";
import { type Deferred, deferred } from "../../abi/deferred.ts";
import { type DescribedError, describeError, restoreError } from "../../abi/described.ts";
import { ErrnoError } from "../../abi/errno.ts";
import { fieldsOf } from "../../abi/options.ts";
import { invariant } from "../../abi/invariant.ts";
import {
  CHANGE_FIELDS,
  CREATE_FIELDS,
  type Ino,
  TMPFILE_FIELDS,
  type VolumeOps,
} from "../volume_ops.ts";
import { closed } from "./closed.ts";
import { Held } from "./held.ts";
import { CALLS, type VolumePromises } from "./promises.ts";
import type { Value } from "./s11n.ts";

type Name = keyof VolumePromises | "stats";

/** From the page: a call. READ carries a length in the place of its buffer. */
interface Asked {
  id: number;
  call: Name;
  args: unknown[];
}

/** From the worker: the outcome of a call. */
interface Answered extends Partial<DescribedError> {
  id: number;
  value?: unknown;
}

/** Serves the calls that come over a port until `close` does. */
export function serveCalls(
  port: MessagePort,
  volume: VolumeOps,
  stats: () => Record<string, Value>,
): void {
  const served = new ServedPort(volume, stats);
  port.onmessage = ({ data }: MessageEvent<Asked>) => {
    const answer = served.answer(data);
    port.postMessage(answer, buffersOf([answer.value]));
    if (data.call === "close") port.close();
  };
}

/** One client's calls, and what it holds. */
class ServedPort {
  readonly #volume: VolumeOps;
  readonly #stats: () => Record<string, Value>;
  readonly #held = new Held();

  constructor(volume: VolumeOps, stats: () => Record<string, Value>) {
    this.#volume = volume;
    this.#stats = stats;
  }

  answer({ id, call, args }: Asked): Answered {
    try {
      return { id, value: this.#run(call, args) };
    } catch (error) {
      return { id, ...describeError(error) };
    }
  }

  #run(call: Name, args: unknown[]): unknown {
    if (call === "stats") return this.#stats();
    if (call === "read") return this.#read(...args as [Ino, number, number]);
    if (call === "close") return this.#leave();
    if (!CALLS.includes(call)) throw new ErrnoError("ENOSYS", `serve the call "${call}"`);
    const [ino] = args as [Ino];
    if (call === "release") this.#unretain(ino);
    const value = (this.#volume[call] as (...args: unknown[]) => unknown)(...args);
    if (call === "retain") this.#held.add(ino);
    if (call === "tmpfile") this.#held.add(value as Ino);
    return owned(value);
  }

  #read(ino: Ino, lengthBytes: number, at: number): Uint8Array<ArrayBuffer> {
    // At most the rest of the file: the caller's buffer may be far longer.
    const left = Math.max(0, Math.min(lengthBytes, this.#volume.getattr(ino).size - at));
    const bytes = new Uint8Array(Number.isSafeInteger(left) ? left : 0);
    const count = this.#volume.read(ino, bytes, at);
    invariant(count >= 0 && count <= bytes.length, "R3: more is moved than there is");
    return count === bytes.length ? bytes : bytes.slice(0, count);
  }

  /** Releases an inode. One that is gone is ESTALE, as in the engine, even if it is not held. */
  #unretain(ino: Ino): void {
    if (this.#held.count(ino) === 0) this.#volume.getattr(ino);
    this.#held.remove(ino);
  }

  /** Makes everything durable, and gives back what the client holds. */
  #leave(): void {
    for (const ino of this.#held.takeAll()) this.#volume.release(ino);
    this.#volume.sync();
  }
}

/** A copy of bytes to send: a view would send the whole of its buffer. */
function owned(value: unknown): unknown {
  return value instanceof Uint8Array ? value.slice() : value;
}

/** Every property that an object among the arguments may have. */
const FIELDS = [...new Set<string>([...CREATE_FIELDS, ...TMPFILE_FIELDS, ...CHANGE_FIELDS])];

/**
 * An argument as it is sent. What cannot be cloned is invalid in any place: null is sent instead,
 * and the volume refuses it as it would in its own thread.
 */
function sent(value: unknown): unknown {
  if (isPlain(value)) return value;
  if (typeof value !== "object" || value === null) return null;
  try {
    if (ArrayBuffer.isView(value)) return copied(value as Uint8Array);
    const fields = fieldsOf(value as Record<string, unknown>, FIELDS, "send a call");
    return Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [name, isPlain(field) ? field : null]),
    );
  } catch {
    return null;
  }
}

function copied(bytes: Uint8Array): Uint8Array {
  requireBytes(bytes);
  return new Uint8Array(bytes);
}

function isPlain(value: unknown): boolean {
  return ["undefined", "number", "string", "boolean"].includes(typeof value);
}

function buffersOf(values: unknown[]): ArrayBuffer[] {
  return values.flatMap((value) =>
    value instanceof Uint8Array ? [(value as Uint8Array<ArrayBuffer>).buffer] : []
  );
}

/** The longest time that a timer takes; a longer one would wrap around to a short one. */
const LONGEST_MS = 2 ** 31 - 1;

/** How a client watches the other side. */
export interface PortOptions {
  /** Called when no answer has come for so long; ends a side that is stuck, and calls `fail`. */
  isAlive: () => Promise<boolean>;
  /** In ms. */
  deadlineMs: number;
  /** Called once, when no call can be made any more. */
  onEnd?: () => void;
}

/** The page's side: every call of a volume as a message. */
export class PortPromises {
  /** The calls. */
  readonly calls: VolumePromises;
  readonly #port: MessagePort;
  readonly #options: PortOptions;
  readonly #open = new Map<number, Deferred<unknown>>();
  #nextId = 1;
  #gone: ErrnoError | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Calls over `port`. */
  constructor(port: MessagePort, options: PortOptions) {
    this.#port = port;
    this.#options = options;
    port.onmessage = ({ data }: MessageEvent<Answered>) => this.#receive(data);
    const all = CALLS.map((call) => [call, (...args: unknown[]) => this.#ask(call, args)]);
    this.calls = {
      ...Object.fromEntries(all) as VolumePromises,
      read: async (ino, into, at) => {
        requireBytes(into);
        const length = into.length;
        const bytes = await this.#ask("read", [ino, length, at]) as Uint8Array;
        if (into.length < length) {
          throw new ErrnoError("EINVAL", "use bytes whose memory went away during the call");
        }
        into.set(bytes);
        return bytes.length;
      },
      // Whatever the outcome, the other end closes its port: it would not answer any more.
      close: () => this.#ask("close", []).then(() => {}).finally(() => this.fail(closed("go on"))),
    };
  }

  /** What the worker reports of its volume and device, by name. */
  stats(): Promise<Record<string, Value>> {
    return this.#ask("stats", []) as Promise<Record<string, Value>>;
  }

  /** The other side is gone: every open call, and every later one, ends with this error. */
  fail(error: ErrnoError): void {
    if (this.#gone !== null) return;
    this.#gone = error;
    this.#options.onEnd?.();
    clearTimeout(this.#timer);
    for (const { reject } of this.#open.values()) reject(this.#gone);
    this.#open.clear();
    this.#port.close();
  }

  #ask(call: Name, args: unknown[]): Promise<unknown> {
    if (this.#gone !== null) return Promise.reject(this.#gone);
    const asked: Asked = { id: this.#nextId++, call, args: args.map(sent) };
    const open = deferred<unknown>();
    try {
      this.#port.postMessage(asked, buffersOf(asked.args));
    } catch (cause) {
      return Promise.reject(new ErrnoError("EINVAL", `send the call "${call}"`, { cause }));
    }
    this.#open.set(asked.id, open);
    if (this.#open.size === 1) this.#watch();
    return open.promise;
  }

  #receive({ id, value, code, action, why }: Answered): void {
    if (this.#gone !== null) return;
    const open = this.#open.get(id);
    invariant(open !== undefined, "R2: an answer is to no question");
    this.#open.delete(id);
    clearTimeout(this.#timer);
    if (this.#open.size > 0) this.#watch();
    if (code === undefined) open.resolve(value);
    else open.reject(restoreError({ code, action, why }));
  }

  #watch(): void {
    clearTimeout(this.#timer);
    const look = async () => {
      if (await this.#options.isAlive() && this.#open.size > 0) this.#watch();
    };
    this.#timer = setTimeout(look, Math.min(this.#options.deadlineMs, LONGEST_MS));
  }
}

/** A volume whose synchronous calls throw an error that says why, and what to do. */
export function withoutSync(root: Ino, advice: string): VolumeOps {
  const refusals = CALLS.map((call) => [call, () => {
    throw new ErrnoError("ENOTSUP", `call ${call}() synchronously`, { why: advice });
  }]);
  return { ...Object.fromEntries(refusals) as VolumeOps, root, generation: 0 };
}
