/**
 * RelayHost: the page's side of its relay worker, from start to end.
 *
 * Layer: relay. It starts the worker, says which volume, gives each client a channel, and ends the
 * worker when the last client has left. States: ready, closing, dead; before it is ready, there is
 * no host.
 *
 * Use: `const host = await RelayHost.start({ place, settings })`, `host.connect()`, `host.close()`.
 *
 * @module
 */
import { deferred } from "../../abi/deferred.ts";
import { type DescribedError, reasonOf, restoreError } from "../../abi/described.ts";
import { ErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import { PortPromises } from "./call_port.ts";
import { closed } from "./closed.ts";
import { closeChannel } from "./channel.ts";
import { Doorbell } from "./doorbell.ts";
import { watchLock } from "./client_lock.ts";
import { nudged, startWorker, type WorkerGiven } from "./delivery.ts";
import type { FromWorker, RelayAddress, RelaySettings, ToWorker, VolumePlace } from "./messages.ts";
import { receivePieces } from "./pieces.ts";
import {
  channelId,
  type ChannelMemory,
  Claimed,
  Closed,
  createChannelMemory,
  MESSAGE_VERSION,
  Word,
} from "./protocol.ts";
import { SpareAreas } from "./spare_areas.ts";
import { runSteps, type StepOptions, stepsOver } from "./steps.ts";
import { volumeLockName } from "./volume_lock.ts";

/** How a relay is started. */
export interface RelayHostOptions {
  /** Which volume. */
  place: VolumePlace;
  /** How the worker opens it. */
  settings: RelaySettings;
  /** A worker, where its script is, or how to make one. Default: our own. */
  worker?: WorkerGiven;
  /** How long the worker may take to start, in ms; and at least, how long it may be silent. */
  startTimeoutMs: number;
}

/**
 * How many channels may wait to be claimed, two for each ticket: more than that calls off the
 * oldest.
 */
export const UNCLAIMED_MAX = 256;

/** Areas for the next channels of this thread. */
const spares = new SpareAreas();

/** How long a worker that has let its lock go may take to say that it has closed, in ms. */
const LAST_WORD_MS = 2000;

/** Where a relay stands. */
export type RelayState = "ready" | "closing" | "dead";

/** The page's side of a relay worker. */
export class RelayHost {
  /** Where it stands. */
  state: RelayState = "ready";
  /** What a client must know to attach. */
  readonly address: RelayAddress;
  readonly #worker: Worker;
  readonly #silenceMs: number;
  /** How long the relay may be silent to a client, unless the client says otherwise. */
  readonly #deadlineMs: number;
  readonly #doorbell: Doorbell | null;
  /** By their names. The relay says when one has left. */
  readonly #channels = new Map<string, ChannelMemory>();
  /** Those that may not have been claimed yet, the oldest first. */
  readonly #unclaimed = new Set<ChannelMemory>();
  /** What ends the images that may still be read, and the calls that wait. */
  readonly #images = new Set<(error: ErrnoError) => void>();
  /** What ends the work in steps that is under way. */
  readonly #works = new Set<(error: ErrnoError) => void>();
  readonly #calls = new Set<PortPromises>();
  readonly #ended = deferred<void>();

  /** Runs from the moment a closing worker has let its lock go. */
  #lastWord: ReturnType<typeof setTimeout> | undefined;
  /** Stops watching whether the worker's thread lives. */
  readonly #unwatch: () => void;

  private constructor(
    worker: Worker,
    address: RelayAddress,
    { place, silenceMs, deadlineMs }: {
      place: VolumePlace;
      silenceMs: number;
      deadlineMs: number;
    },
  ) {
    invariant(address.root > 0, "R6: a volume has no root");
    this.#worker = worker;
    // The worker holds the volume's lock as long as it lives, however it ends.
    this.#unwatch = place.kind === "opfs"
      ? watchLock(volumeLockName(place.path), () => this.#lockIsFree())
      : () => {};
    this.#silenceMs = silenceMs;
    this.#deadlineMs = deadlineMs;
    this.address = address;
    this.#doorbell = address.doorbell === null ? null : new Doorbell(address.doorbell);
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault?.();
      this.#end(
        new ErrnoError("EIO", "go on", { why: `the relay worker has failed: ${event.message}` }),
      );
    };
    this.#ended.promise.catch(() => {});
  }

  /**
   * Starts a worker on a volume.
   *
   * @throws {ErrnoError} what the worker says: EBUSY, ENOTSUP, or what is wrong with the volume;
   * EIO if it says nothing
   */
  static async start(options: RelayHostOptions): Promise<RelayHost> {
    const { place, settings, startTimeoutMs } = options;
    const worker = await startWorker(options.worker, startTimeoutMs);
    const { promise, resolve, reject } = deferred<RelayAddress>();
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === "loaded") return;
      if (data.type === "ready" && data.version === MESSAGE_VERSION) resolve(data.address);
      else reject(refusalOf(data));
    };
    worker.onerror = (event) => {
      event.preventDefault?.();
      reject(
        new ErrnoError("EIO", "open the volume", {
          why: `the relay worker has failed: ${event.message}`,
        }),
      );
    };
    const init: ToWorker = { type: "init", version: MESSAGE_VERSION, place, settings };
    worker.postMessage(init);
    const silenceMs = Math.max(startTimeoutMs, settings.deadlineMs);
    try {
      const address = await nudged(worker, promise, { deadlineMs: silenceMs });
      return new RelayHost(worker, address, { place, silenceMs, deadlineMs: settings.deadlineMs });
    } catch (error) {
      worker.terminate();
      throw error;
    }
  }

  /** How many channels are in use, or wait to be taken. */
  get clientCount(): number {
    return this.#channels.size;
  }

  /** How much it keeps besides its channels; for tests. */
  get kept(): { images: number; works: number; calls: number } {
    return { images: this.#images.size, works: this.#works.size, calls: this.#calls.size };
  }

  /**
   * Whether the relay lives: it answers, or shows its clients that it works. If it does neither, that ends
   * its thread, and all its clients learn of it. A client that has given up may have been impatient; after
   * it the question is asked as long as a client waits, and not as long as a start may take.
   */
  async isAlive(): Promise<boolean> {
    if (this.state !== "ready") return false;
    const { promise, resolve } = deferred<void>();
    const onMessage = () => resolve();
    this.#worker.addEventListener("message", onMessage);
    const before = this.#beats();
    const beats = () => {
      const count = this.#beats();
      if (count !== before) resolve();
      return count;
    };
    const deadlineMs = this.#isGivenUp() ? this.#deadlineMs : this.#silenceMs;
    try {
      await nudged(this.#worker, promise, { deadlineMs, beats });
      return true;
    } catch {
      this.terminate();
      return false;
    } finally {
      this.#worker.removeEventListener("message", onMessage);
    }
  }

  /** Grows with each sign of life that the relay shows its clients. */
  #beats(): number {
    let count = 0;
    for (const { words } of this.#channels.values()) count += Atomics.load(words, Word.HEARTBEAT);
    return count;
  }

  #isGivenUp(): boolean {
    return [...this.#channels.values()].some(({ words }) => {
      return Atomics.load(words, Word.CLOSED) === Closed.DEADLINE;
    });
  }

  /**
   * A new channel; the relay admits it when it has heard of it and a client has claimed it. Of
   * channels that no client claims the oldest are called off, so that dropped tickets do not pile up.
   */
  connect(areaBytes: number): ChannelMemory {
    if (this.state !== "ready") {
      throw new ErrnoError("EIO", `attach to a relay that is ${this.state}`);
    }
    const memory = createChannelMemory(areaBytes, spares.take(areaBytes));
    this.#channels.set(channelId(memory), memory);
    this.#unclaimed.add(memory);
    if (this.#unclaimed.size > UNCLAIMED_MAX) this.#callOff();
    const hello: ToWorker = { type: "hello", channel: memory.buffers };
    this.#worker.postMessage(hello);
    return memory;
  }

  /**
   * Forgets those that have been claimed, and calls off the oldest where there are still too many.
   */
  #callOff(): void {
    for (const memory of this.#unclaimed) {
      const isClaimed = Atomics.load(memory.words, Word.CLAIMED) !== Claimed.NONE;
      if (isClaimed) this.#unclaimed.delete(memory);
    }
    for (const memory of this.#unclaimed) {
      if (this.#unclaimed.size <= UNCLAIMED_MAX) break;
      this.#unclaimed.delete(memory);
      // One of two wins: the client that claims it now, or this host.
      const { words } = memory;
      const was = Atomics.compareExchange(words, Word.CLAIMED, Claimed.NONE, Claimed.CLIENT);
      if (was === Claimed.NONE) closeChannel(words, Closed.UNCLAIMED);
    }
    this.#doorbell?.claim();
  }

  /**
   * Calls by messages, for a page that may not share memory.
   *
   * @throws {ErrnoError} EIO if the relay is not there
   */
  calls(): PortPromises {
    if (this.state !== "ready") throw new ErrnoError("EIO", `call a relay that is ${this.state}`);
    const { port1, port2 } = new MessageChannel();
    const isAlive = () => this.isAlive();
    const onEnd = () => void this.#calls.delete(calls);
    const options = { isAlive, deadlineMs: this.#silenceMs, onEnd };
    const calls: PortPromises = new PortPromises(port1, options);
    this.#calls.add(calls);
    const order: ToWorker = { type: "calls", port: port2 };
    this.#worker.postMessage(order, [port2]);
    return calls;
  }

  /**
   * An image of the volume as it is when the relay hears of it, as a stream; `closing` ends it.
   *
   * @throws {ErrnoError} EIO if the relay is not there
   */
  exportImage(closing: AbortSignal): ReadableStream<Uint8Array<ArrayBuffer>> {
    if (this.state !== "ready") {
      throw new ErrnoError("EIO", `export the image from a relay that is ${this.state}`);
    }
    const { port1, port2 } = new MessageChannel();
    const { stream, fail, end } = receivePieces(port1, () => {
      this.#images.delete(fail);
      stopListening();
    });
    const stopListening = onAbort(closing, () => end(closed("export the image")));
    this.#images.add(fail);
    const order: ToWorker = { type: "export", port: port2 };
    this.#worker.postMessage(order, [port2]);
    return stream;
  }

  /**
   * Compacts the volume, a step for each request, while its clients work on; `closing` ends it.
   *
   * @throws {ErrnoError} EIO if the relay is not there, EBADF if it goes during the call, and as a
   * volume's `compact`
   */
  async compact<R>(options: StepOptions | undefined, closing: AbortSignal): Promise<R> {
    if (this.state !== "ready") {
      throw new ErrnoError("EIO", `compact the volume of a relay that is ${this.state}`);
    }
    const { port1, port2 } = new MessageChannel();
    const source = stepsOver<R>(port1);
    this.#works.add(source.fail);
    const stopListening = onAbort(closing, () => source.end(closed("compact the volume")));
    const order: ToWorker = { type: "compact", port: port2 };
    this.#worker.postMessage(order, [port2]);
    try {
      return await runSteps(source, options);
    } finally {
      this.#works.delete(source.fail);
      stopListening();
    }
  }

  /**
   * Ends the relay: it makes everything durable, closes the volume, and its thread ends.
   *
   * @throws {ErrnoError} what closing the volume has thrown; EIO if the thread is stuck
   */
  async close(): Promise<void> {
    if (this.state === "ready") {
      this.state = "closing";
      const close: ToWorker = { type: "close" };
      this.#worker.postMessage(close);
    }
    try {
      const life = { deadlineMs: this.#silenceMs, beats: () => this.#beats() };
      await nudged(this.#worker, this.#ended.promise, life);
    } finally {
      this.terminate();
    }
  }

  /** Ends the thread at once, as a crash would. For tests, and for a page that gives up. */
  terminate(): void {
    this.#end(new ErrnoError("EIO", "go on", { why: "the relay worker was terminated" }));
  }

  /** The worker has ended; or it closes, and says so a moment after it has let its lock go. */
  #lockIsFree(): void {
    if (this.state === "ready") this.terminate();
    else if (this.state === "closing") {
      this.#lastWord = setTimeout(() => this.terminate(), LAST_WORD_MS);
    }
  }

  #receive(message: FromWorker): void {
    if (message.type === "closed") this.#end(closingError(message));
    if (message.type === "left") this.#forget(message.channel);
    if (message.type !== "refused") return;
    const words = new Int32Array(message.channel.words);
    closeChannel(words, Closed.BAD);
    this.#forget(channelId({ words }));
  }

  #forget(id: string): void {
    const memory = this.#channels.get(id);
    if (memory === undefined) return;
    this.#channels.delete(id);
    this.#unclaimed.delete(memory);
    if (isLetGo(memory)) spares.give(memory.buffers.area);
  }

  #end(error: ErrnoError | null): void {
    if (this.state === "dead") return;
    this.state = "dead";
    clearTimeout(this.#lastWord);
    this.#unwatch();
    this.#worker.terminate();
    for (const { words } of this.#channels.values()) closeChannel(words, Closed.RELAY_GONE);
    this.#channels.clear();
    this.#unclaimed.clear();
    const gone = new ErrnoError("EBADF", "export the image", { why: "the relay has gone" });
    for (const fail of this.#images) fail(gone);
    const left = new ErrnoError("EBADF", "compact the volume", { why: "the relay has gone" });
    for (const fail of this.#works) fail(left);
    const ended = new ErrnoError("EIO", "go on", {
      why: "the relay worker has ended; open the volume again",
    });
    for (const calls of this.#calls) calls.fail(ended);
    if (error === null) this.#ended.resolve();
    else this.#ended.reject(error);
  }
}

/** Whether no client will use an area again: its client has left, or there never was one. */
function isLetGo({ words }: ChannelMemory): boolean {
  const why = Atomics.load(words, Word.CLOSED);
  return why === Closed.LEFT || why === Closed.UNCLAIMED;
}

/** Calls `heard` when the signal aborts; the returned function stops listening. */
function onAbort(signal: AbortSignal, heard: () => void): () => void {
  signal.addEventListener("abort", heard);
  return () => signal.removeEventListener("abort", heard);
}

function closingError({ code, action, why }: Partial<DescribedError>): ErrnoError | null {
  if (code === undefined) return null;
  return new ErrnoError(code, "close the volume", { why: reasonOf({ code, action, why }) });
}

function refusalOf(message: FromWorker): ErrnoError {
  if (message.type === "unavailable") return restoreError(message);
  return new ErrnoError("EPROTO", "open the volume", { why: `the worker says "${message.type}"` });
}
