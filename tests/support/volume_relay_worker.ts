/**
 * A real volume and its relay, in a worker of its own, for `relayed_volume.ts`: in memory, or in
 * the browser's origin private file system where a path is given.
 *
 * Messages in: { open } makes an empty volume and serves it, { reopen } closes, checks and opens it
 * again, { close } closes and checks it. Each is answered by a channel's memory or by what the check
 * objects to. { count } begins and ends counting this thread's copies. The clock is a number in shared memory, so that the test moves both sides at once;
 * after it stands how long each read of the device takes, in ms.
 */
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { openOpfsHandle } from "../../opfs/device/opfs.ts";
import { HeartbeatHandle } from "../../opfs/device/heartbeat_handle.ts";
import { Doorbell } from "../../opfs/relay/doorbell.ts";
import { type ChannelBuffers, createChannelMemory } from "../../opfs/relay/protocol.ts";
import { Relay } from "../../opfs/relay/server.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import { countMemory } from "./count_memory.ts";
import { LimitedHandle } from "./limited_handle.ts";

const scope = self as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
};

let clock = new Float64Array(2);
let doorbell = new Doorbell();
let place = { path: "", limitBytes: 0, areaBytes: 0 };
let memory = memoryHandle();
let volume: Volume | null = null;
let relay: Relay | null = null;
let counting: ReturnType<typeof countMemory> | null = null;

async function openDevice(): Promise<StorageHandle> {
  const { path, limitBytes } = place;
  const handle = path === "" ? memory : await openOpfsHandle(path);
  return limitBytes > 0 ? new LimitedHandle(handle, limitBytes) : handle;
}

/** A device whose reads take their time, asleep. */
class SlowHandle extends LimitedHandle {
  override read(into: Uint8Array, options: { at: number }): number {
    if (clock[1]! > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, clock[1]);
    return super.read(into, options);
  }
}

/** The device as the relay's own worker would have it. */
async function openServedDevice(): Promise<StorageHandle> {
  const slow = new SlowHandle(await openDevice(), Infinity);
  return new HeartbeatHandle(slow, () => relay?.beat());
}

/** Opens the volume on the device, serves it, and returns the memory of a channel to it. */
async function open(isNew: boolean): Promise<{ buffers: ChannelBuffers; root: number }> {
  const device = await openServedDevice();
  if (isNew) device.truncate(0);
  volume = openVolumeSync(device, { clock: () => clock[0]! });
  relay = new Relay(volume, { doorbell });
  const memory = createChannelMemory(place.areaBytes);
  relay.attach(memory.buffers);
  relay.run();
  return { buffers: memory.buffers, root: volume.root };
}

/** Ends the relay, closes the volume, and returns what is wrong with the image. */
async function close(): Promise<string[]> {
  await relay?.stop();
  volume?.close();
  const device = await openDevice();
  const { violations } = checkVolume(device);
  device.close();
  return violations.map((violation) => violation.message);
}

scope.onmessage = async ({ data }: MessageEvent) => {
  try {
    if (data.open) {
      clock = new Float64Array(data.clock);
      doorbell = new Doorbell(data.doorbell);
      place = data.open;
      memory = memoryHandle();
      scope.postMessage({ served: await open(true), violations: [] });
    } else if (data.count === "start") {
      counting = countMemory();
      scope.postMessage("counting");
    } else if (data.count === "stop") {
      scope.postMessage(counting?.stop());
    } else {
      const violations = await close();
      scope.postMessage({ violations, served: data.reopen ? await open(false) : null });
    }
  } catch (error) {
    scope.postMessage({ violations: [String(error)], served: null });
  }
};
