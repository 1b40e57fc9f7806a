/**
 * A client in a thread of its own that takes locks: { buffers, doorbell, deadlineMs } attaches it,
 * { lock, ino } takes one and says "held" or the error's code, { work } says "worked".
 */
import { Channel } from "../../opfs/relay/channel.ts";
import { RelayClient } from "../../opfs/relay/client.ts";
import { Doorbell } from "../../opfs/relay/doorbell.ts";
import { openChannelMemory } from "../../opfs/relay/protocol.ts";

const scope = self as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
};
let client: RelayClient | null = null;

scope.onmessage = ({ data }: MessageEvent) => {
  if (data.buffers) {
    const { buffers, doorbell, deadlineMs, blocking } = data;
    const options = { deadlineMs, blocking };
    const channel = new Channel(openChannelMemory(buffers), new Doorbell(doorbell), options);
    client = new RelayClient(channel, { root: 1 });
    return scope.postMessage("attached");
  }
  try {
    if (data.unlock) client!.unlock(data.ino, data.unlock.owner, data.unlock.kind);
    else client!.lock(data.ino, data.lock);
    scope.postMessage("held");
  } catch (error) {
    scope.postMessage((error as { code?: string }).code ?? String(error));
  }
};
