/**
 * Golden bytes: for every operation by inode, what a client sends and what it is answered. They are
 * those of docs/PROTOCOL.md, and a change to one of them is another version of the wire. The bytes of
 * operations by path are in `path_ops_test.ts`.
 */
import { assertEquals } from "@std/assert";
import { Channel, wholeMessage } from "../../../opfs/relay/channel.ts";
import { RelayClient } from "../../../opfs/relay/client.ts";
import { Op, type OpName } from "../../../opfs/relay/operations.ts";
import { createChannelMemory, Word } from "../../../opfs/relay/protocol.ts";
import { Relay } from "../../../opfs/relay/server.ts";
import { bytesOf, GOLDEN, goldenVolume } from "./golden_vectors.ts";

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Writes down what goes over a channel. */
class Watched extends Channel {
  readonly seen: [request: string, answer: string][] = [];
  turn: () => void = () => {};

  #look(): string {
    const { area, words } = this.memory;
    return hex(area.slice(0, words[Word.CHUNK_LEN]));
  }

  #turnOnce(): void {
    const request = this.#look();
    this.turn();
    this.seen.push([request, this.#look()]);
  }

  override wait(action: string): void {
    this.#turnOnce();
    super.wait(action);
  }

  override async waitAsync(action: string): Promise<void> {
    this.#turnOnce();
    await super.waitAsync(action);
  }
}

function stage() {
  const volume = goldenVolume();
  const relay = new Relay(volume, {
    stats: () => ({ state: "open", names: 4, "engine.on": true }),
  });
  const memory = createChannelMemory(16_384);
  relay.attach(memory.buffers);
  const channel = new Watched(memory, relay.doorbell);
  channel.turn = () => void relay.turn();
  return { volume, relay, channel, client: new RelayClient(channel, { root: 1 }) };
}

for (const name of Object.keys(Op) as OpName[]) {
  Deno.test(`${name} has the bytes that it has always had`, async () => {
    const { client, channel } = stage();
    GOLDEN[name].call(client, channel);
    // The promises send theirs from the event loop.
    await new Promise((resolve) => setTimeout(resolve, 0));
    const [request, answer] = channel.seen.at(-1)!;
    const want = GOLDEN[name].bytes.map((text) => text.replaceAll(" ", ""));
    assertEquals([request, answer], want);
  });

  Deno.test(`${name} is answered so, whatever has made the bytes`, () => {
    const { relay, client, channel } = stage();
    if (name === "RELEASE") client.retain(2);
    if (name === "TESTLOCK") GOLDEN.LOCK.call(client, channel);
    const [request, answer] = GOLDEN[name].bytes;
    const bytes = bytesOf(request);
    channel.memory.area.set(bytes);
    channel.publish(wholeMessage(bytes.length));
    relay.turn();
    const { area, words } = channel.memory;
    assertEquals(hex(area.slice(0, words[Word.CHUNK_LEN])), answer.replaceAll(" ", ""));
  });
}
