/**
 * A relay over ModelVolume in a worker, with clients in this thread or in others.
 *
 * Use: `const rig = await startRig(); const client = await rig.client(); …; await rig.stop();`
 */
import { Channel, type ChannelOptions } from "../../opfs/relay/channel.ts";
import { RelayClient } from "../../opfs/relay/client.ts";
import { Doorbell } from "../../opfs/relay/doorbell.ts";
import { type ChannelMemory, createChannelMemory } from "../../opfs/relay/protocol.ts";
import type { MemoryCount } from "./count_memory.ts";

/** How the rig is made. */
export interface RigOptions {
  /** The relay's deadline for a client in the middle of a transfer, in ms. */
  deadlineMs?: number;
}

/** How a client is made. */
export interface RigClientOptions extends ChannelOptions {
  /** Size of the request area in bytes. */
  areaBytes?: number;
  /** Another kind of channel, for negative controls. */
  make?: (memory: ChannelMemory, doorbell: Doorbell, options: ChannelOptions) => Channel;
}

/** A relay in a worker. */
export interface Rig {
  /** What wakes the relay. */
  doorbell: Doorbell;
  /** The relay's thread. */
  worker: Worker;
  /** A channel that the relay serves. */
  memory(areaBytes?: number): Promise<ChannelMemory>;
  /** A client that calls from this thread. */
  client(options?: RigClientOptions): Promise<RelayClient>;
  /** Sends a message and waits for its answer. */
  ask(message: unknown): Promise<unknown>;
  /** Counts the relay's copies while `work` runs. */
  counting(work: () => void): Promise<MemoryCount>;
  /** Inodes alive and clients served. */
  state(): Promise<{ inodes: number; clients: number }>;
  /** Ends the relay and its thread. */
  stop(): Promise<void>;
}

/** Starts a relay in a worker. */
export async function startRig({ deadlineMs }: RigOptions = {}): Promise<Rig> {
  const doorbell = new Doorbell();
  const url = new URL("./model_relay_worker.ts", import.meta.url).href;
  const worker = new Worker(url, { type: "module" });
  let before: Promise<unknown> = Promise.resolve();
  const ask = (message: unknown): Promise<unknown> => before = before.then(() => askNow(message));
  const askNow = (message: unknown): Promise<unknown> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(event.error ?? new Error(event.message));
    worker.postMessage(message);
    return promise;
  };
  await ask({ doorbell: doorbell.buffer, channels: [], deadlineMs });
  const memory = async (areaBytes = 65_536) => {
    const made = createChannelMemory(areaBytes);
    await ask({ attach: made.buffers });
    return made;
  };
  return {
    doorbell,
    worker,
    memory,
    ask,
    async client({ areaBytes, make, ...options } = {}) {
      const made = await memory(areaBytes);
      const channel = make?.(made, doorbell, options) ?? new Channel(made, doorbell, options);
      return new RelayClient(channel, { root: 1 });
    },
    async counting(work) {
      await ask({ count: "start" });
      work();
      return await ask({ count: "stop" }) as MemoryCount;
    },
    state: () => ask({ ask: "state" }) as Promise<{ inodes: number; clients: number }>,
    async stop() {
      await ask({ stop: true });
      worker.terminate();
    },
  };
}

/** A test with a rig of its own. */
export function rigTest(name: string, run: (rig: Rig) => Promise<void>): void {
  Deno.test(name, async () => {
    const rig = await startRig();
    try {
      await run(rig);
    } finally {
      await rig.stop();
    }
  });
}
