/**
 * A client in a thread of its own: attaches to a channel and does what a message says.
 *
 * { buffers, doorbell, job, ...}: "append" appends records to one file; "stall" publishes the first
 * chunk of an append and ends; "rename" moves a name to and fro.
 */
import { Channel } from "../../opfs/relay/channel.ts";
import { RelayClient } from "../../opfs/relay/client.ts";
import { Doorbell } from "../../opfs/relay/doorbell.ts";
import { Op } from "../../opfs/relay/operations.ts";
import { openChannelMemory, Signal } from "../../opfs/relay/protocol.ts";

const scope = self as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
};

scope.onmessage = ({ data }: MessageEvent) => {
  const channel = new Channel(openChannelMemory(data.buffers), new Doorbell(data.doorbell));
  const client = new RelayClient(channel, { root: 1 });
  if (data.job === "append") {
    for (let round = 0; round < data.rounds; round++) {
      client.append(data.ino, new Uint8Array(data.recordBytes).fill(data.mark));
    }
  } else if (data.job === "stall") {
    const { area } = channel.memory;
    const totalBytes = channel.writer.begin(Op.APPEND).ino(data.ino).end(area.length);
    channel.publish({ signal: Signal.REQUEST, chunkBytes: area.length, totalBytes, chunkIndex: 0 });
    channel.wait("append");
  } else if (data.job === "hammer") {
    const stop = new Int32Array(data.stop);
    while (Atomics.load(stop, 0) === 0) client.getattr(client.root);
  } else if (data.job === "files") {
    for (let round = 0; round < data.rounds; round++) {
      const name = `${data.mark}-${round % 10}`;
      const known = client.lookup(client.root, name);
      const ino = known || client.create(client.root, name, { mode: 0o100644, uid: 0, gid: 0 });
      const bytes = new Uint8Array(64).fill((data.mark * 50 + round) % 256);
      client.write(ino, bytes, 0);
      const into = new Uint8Array(64);
      if (client.read(ino, into, 0) !== 64 || into[63] !== bytes[0] || into[0] !== bytes[0]) {
        return scope.postMessage(`client ${data.mark} read something else in round ${round}`);
      }
      if (round % 3 === 0) client.unlink(client.root, name);
    }
  }
  scope.postMessage("done");
};
