import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { S_IFREG } from "../../../abi/mode.ts";
import { Channel } from "../../../opfs/relay/channel.ts";
import { RelayClient } from "../../../opfs/relay/client.ts";
import { createChannelMemory } from "../../../opfs/relay/protocol.ts";
import { Relay } from "../../../opfs/relay/server.ts";
import { ModelVolume } from "../../support/model_volume.ts";

/** A channel in the relay's own thread: waiting means giving the relay its turn. */
class TurningChannel extends Channel {
  relay: Relay | null = null;

  override wait(action: string): void {
    while (!this.isAnswered()) this.relay?.turn();
    super.wait(action);
  }
}

function rig() {
  const volume = new ModelVolume();
  const relay = new Relay(volume);
  const memory = createChannelMemory(16_384);
  relay.attach(memory.buffers);
  const channel = new TurningChannel(memory, relay.doorbell);
  channel.relay = relay;
  const client = new RelayClient(channel, { root: volume.root });
  const ino = client.create(volume.root, "f", { mode: S_IFREG | 0o644, uid: 0, gid: 0 });
  return { volume, client, ino };
}

/** Lets `volume.write` fail from call `count` on. */
function failAt(volume: ModelVolume, count: number): void {
  const write = volume.write.bind(volume);
  let calls = 0;
  volume.write = (...args) => {
    if (++calls >= count) throw new ErrnoError("ENOSPC", "write");
    return write(...args);
  };
}

Deno.test("a write that fails after its first piece is a short count (R3)", () => {
  const { volume, client, ino } = rig();
  failAt(volume, 3);
  assertEquals(client.write(ino, new Uint8Array(60_000).fill(1), 0), 16_384 * 2 - 32);
  assertEquals(volume.getattr(ino).size, 16_384 * 2 - 32);
  assertThrows(() => client.write(ino, new Uint8Array(60_000), 0), Error, "ENOSPC");
  assertEquals(client.getattr(ino).size, 16_384 * 2 - 32);
});

Deno.test("an append that fails after its first piece is a short count (R3)", () => {
  const { volume, client, ino } = rig();
  client.append(ino, new Uint8Array(10).fill(7));
  failAt(volume, 2);
  // The first piece is an append of the volume, the second its first write.
  const appended = client.append(ino, new Uint8Array(60_000));
  assertEquals(appended, { at: 10, count: 16_384 * 2 - 24 });
  assertEquals(client.getattr(ino).size, 10 + appended.count);
  volume.write = ModelVolume.prototype.write;
  assertEquals(client.append(ino, new Uint8Array(5)), { at: 10 + appended.count, count: 5 });
});

Deno.test("an append of which the volume takes a part answers that part, and nothing old goes", () => {
  for (const taken of [1, 5000, 16_359]) {
    const { volume, client, ino } = rig();
    client.append(ino, new Uint8Array(20_000).fill(7));
    volume.append = (target, from) =>
      ModelVolume.prototype.append.call(volume, target, from.subarray(0, taken));
    assertEquals(client.append(ino, new Uint8Array(60_000)), { at: 20_000, count: taken });
    assertEquals(client.getattr(ino).size, 20_000 + taken);
    volume.append = ModelVolume.prototype.append;
    assertEquals(client.append(ino, new Uint8Array(3)).count, 3, "the turn is free");
  }
});

Deno.test("a file that shrinks while it is read gives a short read", () => {
  const { volume, client, ino } = rig();
  client.write(ino, new Uint8Array(60_000).fill(5), 0);
  const read = volume.read.bind(volume);
  let calls = 0;
  volume.read = (...args) => {
    if (++calls === 2) volume.setattr(ino, { size: 20_000 });
    return read(...args);
  };
  const into = new Uint8Array(60_000);
  assertEquals(client.read(ino, into, 0), 20_000);
  assertEquals(into.indexOf(0), 20_000);
  assertEquals(client.read(ino, into, 0), 20_000);
});

Deno.test("a read past the end, or of nothing, is empty", () => {
  const { client, ino } = rig();
  client.write(ino, new Uint8Array(100), 0);
  assertEquals(client.read(ino, new Uint8Array(60_000), 5000), 0);
  assertEquals(client.read(ino, new Uint8Array(0), 0), 0);
  assertThrows(() => client.read(ino, new Uint8Array(60_000), -1), Error, "EINVAL");
  assertThrows(() => client.read(1, new Uint8Array(60_000), 0), Error, "EISDIR");
});
