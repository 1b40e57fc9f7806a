/**
 * A volume in a worker, and the client that calls it from this thread: the row "volume relayed".
 *
 * A worker that has done well serves the next instance too: starting one takes longer than most
 * cases. Use: `const relayed = await RelayedVolume.open({…})`, and `RelayedVolume.dispose()` at the
 * end.
 *
 * @module
 */
import { type Blocking, Channel, type ChannelOptions } from "../../opfs/relay/channel.ts";
import { RelayClient } from "../../opfs/relay/client.ts";
import { Doorbell } from "../../opfs/relay/doorbell.ts";
import { type ChannelBuffers, openChannelMemory } from "../../opfs/relay/protocol.ts";
import { countMemory, type MemoryCount } from "./count_memory.ts";

interface Answer {
  served: { buffers: ChannelBuffers; root: number } | null;
  violations: string[];
}

/** How an empty volume is made. */
export interface RelayedOptions {
  /** Where the device is full, in bytes; 0 is never. */
  limitBytes: number;
  /** The time, in ms; it is passed on at each call of `tick`. */
  clock: () => number;
  /** Address of the worker's program. Default: its source beside this file. */
  worker?: string;
  /** A file in the origin private file system. Default: memory. */
  path?: string;
  /** Size of the request area in bytes. Default 65,536. */
  areaBytes?: number;
  /** What the calling thread does while it waits. */
  blocking?: Blocking;
  /** How long the relay may show no sign of life, in ms. */
  deadlineMs?: number;
}

/** A volume far away. */
export class RelayedVolume {
  /** Calls it. */
  client: RelayClient;
  readonly #worker: Worker;
  readonly #doorbell: Doorbell;
  readonly #options: ChannelOptions;

  static #spare: Worker | null = null;

  private constructor(
    worker: Worker,
    answer: Answer,
    { doorbell, ...options }: { doorbell: Doorbell } & ChannelOptions,
  ) {
    this.#worker = worker;
    this.#doorbell = doorbell;
    this.#options = options;
    this.client = this.#attach(answer);
  }

  /** Ends the worker that waits for the next instance. */
  static dispose(): void {
    RelayedVolume.#spare?.terminate();
    RelayedVolume.#spare = null;
  }

  /** An empty volume in a worker. */
  static async open(options: RelayedOptions): Promise<RelayedVolume> {
    const { limitBytes, clock, path = "", areaBytes = 65_536, blocking, deadlineMs } = options;
    const url = options.worker ?? new URL("./volume_relay_worker.ts", import.meta.url).href;
    const worker = RelayedVolume.#spare ?? new Worker(url, { type: "module" });
    RelayedVolume.#spare = null;
    const doorbell = new Doorbell();
    const shared = new SharedArrayBuffer(16);
    const now = new Float64Array(shared);
    now[0] = clock();
    const place = { limitBytes, path, areaBytes };
    const answer = await ask(worker, { open: place, clock: shared, doorbell: doorbell.buffer });
    const relayed = new RelayedVolume(worker, answer, { doorbell, blocking, deadlineMs });
    relayed.tick = () => now[0] = clock();
    relayed.slow = (ms) => now[1] = ms;
    return relayed;
  }

  /** Shows the worker what time it is. */
  tick: () => void = () => {};
  /** Lets each read of the device take so many ms. */
  slow: (ms: number) => void = () => {};

  #attach({ served, violations }: Answer): RelayClient {
    if (violations.length > 0) throw new Error(`the check found: ${violations.join("; ")}`);
    if (served === null) throw new Error("the worker serves nothing");
    const memory = openChannelMemory(served.buffers);
    const channel = new Channel(memory, this.#doorbell, this.#options);
    return new RelayClient(channel, { root: served.root });
  }

  /** What both threads copy and allocate while `work` runs. */
  async counting(work: () => void): Promise<{ ours: MemoryCount; theirs: MemoryCount }> {
    await ask(this.#worker, { count: "start" });
    const counting = countMemory();
    work();
    const ours = counting.stop();
    return { ours, theirs: await ask<MemoryCount>(this.#worker, { count: "stop" }) };
  }

  /** Closes the volume, looks for damage, opens it again. */
  async reopen(): Promise<void> {
    this.client.close();
    this.client = this.#attach(await ask(this.#worker, { reopen: true }));
  }

  /** Closes the volume and looks for damage. */
  async close(): Promise<void> {
    try {
      this.client.close();
      const { violations } = await ask(this.#worker, { close: true });
      if (violations.length > 0) throw new Error(`the check found: ${violations.join("; ")}`);
      RelayedVolume.#spare = this.#worker;
    } catch (error) {
      this.#worker.terminate();
      throw error;
    }
  }
}

function ask<T = Answer>(worker: Worker, message: unknown): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  worker.onmessage = ({ data }) => resolve(data as T);
  worker.onerror = (event) => {
    event.preventDefault?.();
    reject(new Error(event.message));
  };
  worker.postMessage(message);
  return promise;
}
