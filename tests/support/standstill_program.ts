/**
 * A process that is stopped and goes on: clients in workers wait for a lock of a relayed volume, one
 * by promises has sent half of a payload. It says "waiting", takes a line, and says what they got.
 *
 * Arguments: the volume's path, and how long a deadline is, in ms.
 */
import { openVolume } from "../../opfs/compose/open.ts";
import { Exchange } from "../../opfs/relay/exchange.ts";
import { Channel, claimChannel } from "../../opfs/relay/channel.ts";
import { Doorbell } from "../../opfs/relay/doorbell.ts";
import { type ChannelBuffers, openChannelMemory, Signal } from "../../opfs/relay/protocol.ts";
import { Op, OPERATIONS } from "../../opfs/relay/operations.ts";

const WAITING = 4;
const [path = "", deadline = ""] = Deno.args;
const deadlineMs = Number(deadline);
const volume = await openVolume({ name: path, access: "relay", deadlineMs });
const ino = volume.create(volume.root, "f", { mode: 0o100644, uid: 0, gid: 0 });

/** The first channel of a ticket, taken. */
function taken(): { buffers: ChannelBuffers; doorbell: SharedArrayBuffer } {
  const { channels: [buffers], address } = volume.share();
  const doorbell = address.doorbell!;
  claimChannel(openChannelMemory(buffers));
  new Doorbell(doorbell).claim();
  return { buffers, doorbell };
}

/** A client in a thread of its own; the result asks it for something. */
async function client(): Promise<(message: object) => Promise<string>> {
  const url = new URL("./lock_worker.ts", import.meta.url).href;
  const worker = new Worker(url, { type: "module" });
  const ask = (message: object) =>
    new Promise<string>((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.postMessage(message);
    });
  await ask({ ...taken(), deadlineMs });
  return ask;
}

/** A channel in the middle of a payload of many pieces; the result sends the rest. */
async function half(): Promise<() => Promise<string>> {
  const { buffers, doorbell } = taken();
  const channel = new Channel(openChannelMemory(buffers), new Doorbell(doorbell), { deadlineMs });
  await channel.admitted("open");
  const exchange = new Exchange(channel);
  const writer = channel.writer.begin(Op.WRITE);
  exchange.start(OPERATIONS.WRITE.ask(writer, ino, new Uint8Array(4_000_000), 0));
  await channel.waitAsync("write");
  const isMore = channel.header.signal === Signal.CHUNK_ACK;
  return async () => {
    if (!isMore) return "was not in the middle";
    try {
      while (!exchange.step()) await channel.waitAsync("write");
      return channel.reader.status === 4_000_000 ? "held" : `wrote ${channel.reader.status}`;
    } catch (error) {
      return (error as Error).message;
    }
  };
}

const lock = { kind: 1, owner: 1, type: 1, start: 0, end: 0, wait: true };
const holder = await client();
await holder({ lock, ino });
const waiting = await Promise.all(Array.from({ length: WAITING }, client));
const answers = waiting.map(async (ask) => {
  const answer = await ask({ lock, ino });
  await ask({ unlock: { owner: 1, kind: 1 }, ino });
  return answer;
});
const rest = await half();
console.log("waiting");
await Deno.stdin.read(new Uint8Array(10));
// Some more of the deadline passes: what the standstill has left must be enough.
await new Promise((resolve) => setTimeout(resolve, deadlineMs / 4));
answers.push(rest());
await holder({ unlock: { owner: 1, kind: 1 }, ino });
console.log((await Promise.all(answers)).join());
Deno.exit(0);
