/**
 * The threads of the torture, one program: the relay on a real volume, a client, and who keeps the
 * processors busy. The relay logs the order in which it applies requests.
 *
 * Each control is a mistake that the torture must find: it is made here, in one place of the real
 * code, and nowhere else.
 */
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { openOpfsHandle } from "../../opfs/device/opfs.ts";
import { VolumeLocks } from "../../opfs/locks.ts";
import { Channel } from "../../opfs/relay/channel.ts";
import { RelayClient } from "../../opfs/relay/client.ts";
import { Doorbell } from "../../opfs/relay/doorbell.ts";
import {
  type ChannelBuffers,
  openChannelMemory,
  readHeader,
  Word,
} from "../../opfs/relay/protocol.ts";
import { ReadAhead } from "../../opfs/relay/read_ahead.ts";
import { ServedChannel } from "../../opfs/relay/served_channel.ts";
import { Relay } from "../../opfs/relay/server.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { Random } from "../support/random.ts";
import { TortureClient } from "./client.ts";
import { move } from "./movers.ts";
import type { Control } from "./run.ts";

const scope = self as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
};

let finish: (() => Promise<unknown>) | null = null;
let attach: (channel: ChannelBuffers) => void = () => {};

scope.onmessage = async ({ data }: MessageEvent) => {
  try {
    if (data.role === "relay") finish = await serve(data);
    else if (data.role === "client") return scope.postMessage(client(data));
    else if (data.role === "mover") return scope.postMessage(moves(data));
    else if (data.role === "burner") return burn(data.stop, data.channels);
    else if (data.attach) attach(data.attach);
    else if (data.finish) return scope.postMessage(await finish!());
    scope.postMessage("ready");
  } catch (error) {
    scope.postMessage({ error: String((error as Error)?.stack ?? error) });
  }
};

interface Serve {
  doorbell: SharedArrayBuffer;
  channels: ChannelBuffers[];
  path: string;
  control: Control;
}

async function serve(
  { doorbell, channels, path, control }: Serve,
): Promise<() => Promise<unknown>> {
  const memory = memoryHandle();
  const open = async (): Promise<StorageHandle> =>
    path === "" ? memory : await openOpfsHandle(path);
  const device = await open();
  device.truncate(0);
  const volume = openVolumeSync(device);
  const trace: number[] = [];
  mistakeOfRelay(control, channels);
  const relay = new Relay(volume, {
    doorbell: new Doorbell(doorbell),
    trace: (client, sequence) => void trace.push(client, sequence),
  });
  attach = (channel) => relay.attach(channel);
  for (const channel of channels) attach(channel);
  relay.run();
  return async () => {
    await relay.stop();
    volume.close();
    const image = await open();
    const { violations } = checkVolume(image);
    image.close();
    const found = violations.map((violation) => violation.message);
    return { trace: Int32Array.from(trace), violations: found, root: volume.root };
  };
}

function mistakeOfRelay(control: Control, channels: readonly ChannelBuffers[]): void {
  if (control === "no-bump") ServedChannel.prototype.bumpGeneration = () => {};
  if (control === "no-locks") VolumeLocks.prototype.take = () => null;
  if (control === "lock-kept") VolumeLocks.prototype.release = () => {};
  if (control === "stale-answer") setInterval(() => answerStale(channels), 1);
}

/** Hands out whatever the area holds as the answer to a request that was not served. */
function answerStale(channels: readonly ChannelBuffers[]): void {
  for (const channel of channels) {
    const words = new Int32Array(channel.words);
    const request = Atomics.load(words, Word.REQUEST);
    if (Atomics.load(words, Word.ANSWER) === request) continue;
    Atomics.store(words, Word.ANSWER, request);
    Atomics.notify(words, Word.ANSWER);
  }
}

/** Waits once, and takes whatever is there when it wakes for an answer. */
class HastyChannel extends Channel {
  override wait(): void {
    const { words } = this.memory;
    Atomics.wait(words, Word.ANSWER, Atomics.load(words, Word.ANSWER), 1000);
    readHeader(words, this.header);
  }
}

/** One client, to its end. */
function client(data: {
  buffers: ChannelBuffers[];
  doorbell: SharedArrayBuffer;
  root: number;
  control: Control;
  job: ConstructorParameters<typeof TortureClient>[2];
}): unknown {
  const doorbell = new Doorbell(data.doorbell);
  const [calls, looks] = data.buffers.map((buffers) => {
    const memory = openChannelMemory(buffers);
    const kind = data.control === "no-loop" ? HastyChannel : Channel;
    return new RelayClient(new kind(memory, doorbell), { root: data.root, readsAhead: true });
  }) as [RelayClient, RelayClient];
  if (data.control === "two-steps") findAndRetainApart(calls);
  if (data.control === "kept-ahead") ReadAhead.prototype.interrupt = () => {};
  return new TortureClient(calls, looks, data.job).run();
}

/** Moves amounts until a message says stop, or its channel is closed; returns how often. */
function moves(data: {
  buffers: ChannelBuffers;
  doorbell: SharedArrayBuffer;
  ino: number;
  seed: number;
  stop: SharedArrayBuffer;
}): number {
  const channel = new Channel(openChannelMemory(data.buffers), new Doorbell(data.doorbell));
  const volume = new RelayClient(channel, { root: 1 });
  const stop = new Int32Array(data.stop);
  const random = new Random(data.seed);
  let count = 0;
  try {
    for (; Atomics.load(stop, 0) === 0; count++) move(volume, data.ino, random);
  } catch (error) {
    if ((error as { code?: string }).code !== "EIO") throw error;
  }
  return count;
}

function findAndRetainApart(client: RelayClient): void {
  client.lookupRetain = (parent, name) => {
    const found = client.lookupAttr(parent, name);
    if (found !== null) client.retain(found.ino);
    return found;
  };
}

/** Keeps a processor busy, and wakes waiters for no reason, as late wakes of earlier answers do. */
function burn(stop: SharedArrayBuffer, channels: readonly ChannelBuffers[]): void {
  const word = new Int32Array(stop);
  const views = channels.map((channel) => new Int32Array(channel.words));
  for (let round = 0; Atomics.load(word, 0) === 0; round = (round + 1) >>> 0) {
    if (round % 64 === 0) Atomics.notify(views[(round >>> 6) % views.length]!, Word.ANSWER);
  }
  scope.postMessage("stopped");
}
