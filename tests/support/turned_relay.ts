/**
 * A relay and its clients in one thread: a client that waits turns the relay. So every interleaving
 * is chosen by the test, and nothing depends on time.
 *
 * Use: `const { relay, client } = turnedRelay(); const a = client(); a.create(…)`.
 */
import { Channel } from "../../opfs/relay/channel.ts";
import { RelayClient } from "../../opfs/relay/client.ts";
import { createChannelMemory } from "../../opfs/relay/protocol.ts";
import { Relay, type RelayOptions } from "../../opfs/relay/server.ts";
import type { VolumeOps } from "../../opfs/volume_ops.ts";
import { ModelVolume } from "./model_volume.ts";

/** Longest wait for a lock that is never given back: a test would hang. */
const TURNS = 1000;

/** A channel whose wait is the relay's turn. */
class TurningChannel extends Channel {
  turn: () => void = () => {};

  override wait(action: string): void {
    for (let left = TURNS; left > 0 && !this.isAnswered(); left--) this.turn();
    super.wait(action);
  }
}

/** A relay that is turned by those who wait for it. */
export interface TurnedRelay<V extends VolumeOps> {
  relay: Relay;
  volume: V;
  /** A new channel that it serves. */
  channel(areaBytes?: number): Channel;
  /** A new client. */
  client(areaBytes?: number): RelayClient;
}

/** A relay over a volume, the model by default. */
export function turnedRelay<V extends VolumeOps = ModelVolume>(
  volume: V = new ModelVolume() as VolumeOps as V,
  options?: RelayOptions,
): TurnedRelay<V> {
  const relay = new Relay(volume, options);
  const channel = (areaBytes = 16_384): TurningChannel => {
    const memory = createChannelMemory(areaBytes);
    relay.attach(memory.buffers);
    const made = new TurningChannel(memory, relay.doorbell, { deadlineMs: 500 });
    made.turn = () => void relay.turn();
    return made;
  };
  const client = (areaBytes?: number): RelayClient =>
    new RelayClient(channel(areaBytes), { root: volume.root });
  return { relay, volume, channel, client };
}
