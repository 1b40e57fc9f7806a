/**
 * A real volume in memory behind a relay, in a worker of its own, for `relayed_volume.ts`.
 *
 * Messages in: { open } makes an empty volume and serves it, { reopen } closes, checks and opens it
 * again, { close } closes and checks it. Each is answered by a channel's memory or by what the check
 * objects to. The clock is a number in shared memory, so that the test moves both sides at once.
 */
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { Doorbell } from "../../opfs/relay/doorbell.ts";
import { createChannelMemory } from "../../opfs/relay/protocol.ts";
import { Relay } from "../../opfs/relay/server.ts";
import { checkVolume } from "../../opfs/volume/check.ts";
import { openVolumeSync } from "../../opfs/volume/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import { LimitedHandle } from "./limited_handle.ts";

const scope = self as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
};

let clock = new Float64Array(1);
let doorbell = new Doorbell();
let device: StorageHandle = memoryHandle();
let volume: Volume | null = null;
let relay: Relay | null = null;

/** Opens the volume on the device, serves it, and returns the memory of a channel to it. */
function open(): { buffer: SharedArrayBuffer; root: number } {
  volume = openVolumeSync(device, { clock: () => clock[0]! });
  relay = new Relay(volume, { doorbell });
  const memory = createChannelMemory(65_536);
  relay.attach(memory.buffer);
  relay.run();
  return { buffer: memory.buffer, root: volume.root };
}

/** Ends the relay, closes the volume, and returns what is wrong with the image. */
async function close(): Promise<string[]> {
  await relay?.stop();
  volume?.close();
  return checkVolume(device).violations.map((violation) => violation.message);
}

scope.onmessage = async ({ data }: MessageEvent) => {
  try {
    if (data.open) {
      clock = new Float64Array(data.clock);
      doorbell = new Doorbell(data.doorbell);
      device = data.limitBytes > 0
        ? new LimitedHandle(memoryHandle(), data.limitBytes)
        : memoryHandle();
      scope.postMessage({ served: open(), violations: [] });
    } else {
      const violations = await close();
      scope.postMessage({ violations, served: data.reopen ? open() : null });
    }
  } catch (error) {
    scope.postMessage({ violations: [String(error)], served: null });
  }
};
