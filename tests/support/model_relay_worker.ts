/**
 * A relay over ModelVolume in a worker of its own, for the tests of the relay.
 *
 * Messages in: { doorbell, channels, deadlineMs } starts it, { attach } adds a channel, { stop }
 * ends it, { stall } stops the thread for so many ms. Messages out: "serving", "attached", or what
 * the model counted when it ended.
 */
import { Doorbell } from "../../opfs/relay/doorbell.ts";
import { Relay } from "../../opfs/relay/server.ts";
import { countMemory } from "./count_memory.ts";
import { ModelVolume } from "./model_volume.ts";

const scope = self as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
};
const model = new ModelVolume();
let relay: Relay | null = null;
let counting: ReturnType<typeof countMemory> | null = null;

scope.onmessage = async ({ data }: MessageEvent) => {
  if (data.doorbell) {
    relay = new Relay(model, {
      doorbell: new Doorbell(data.doorbell),
      deadlineMs: data.deadlineMs,
    });
    for (const channel of data.channels) relay.attach(channel);
    relay.run();
    scope.postMessage("serving");
  } else if (data.attach) {
    relay?.attach(data.attach);
    scope.postMessage("attached");
  } else if (data.stall) {
    scope.postMessage("stalling");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, data.stall);
  } else if (data.count === "start") {
    counting = countMemory();
    scope.postMessage("counting");
  } else if (data.count === "stop") {
    const counted = counting?.stop();
    scope.postMessage(counted);
  } else if (data.ask === "state") {
    scope.postMessage({ inodes: model.inodeCount, clients: relay?.clientCount });
  } else if (data.stop) {
    await relay?.stop();
    scope.postMessage("stopped");
    scope.close();
  }
};
