import { assertEquals } from "@std/assert";
import { claimChannel, closeChannel } from "../../../opfs/relay/channel.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import { Closed, createChannelMemory } from "../../../opfs/relay/protocol.ts";
import { ServedChannel } from "../../../opfs/relay/served_channel.ts";
import { UnclaimedChannels } from "../../../opfs/relay/unclaimed_channels.ts";

/** Channels that are not claimed, and the numbers of those handed over so far. */
function some(count: number) {
  const doorbell = new Doorbell();
  const unclaimed = new UnclaimedChannels(doorbell);
  const channels = Array.from({ length: count }, (_, index) => {
    return new ServedChannel(createChannelMemory(16_384).buffers, index);
  });
  for (const channel of channels) unclaimed.add(channel);
  const handed: number[] = [];
  const take = () => {
    unclaimed.take(({ id }) => handed.push(id));
    return handed;
  };
  return { doorbell, unclaimed, channels, take };
}

Deno.test("UnclaimedChannels hands over what is claimed or closed, and the rest costs one load", () => {
  const { doorbell, unclaimed, channels, take } = some(4);
  assertEquals([unclaimed.hasNewClaims(), take(), unclaimed.hasNewClaims()], [true, [], false]);
  claimChannel(channels[2]!.memory);
  closeChannel(channels[0]!.memory.words, Closed.UNCLAIMED);
  assertEquals(unclaimed.hasNewClaims(), false);
  doorbell.claim();
  assertEquals([unclaimed.hasNewClaims(), take()], [true, [0, 2]]);
  assertEquals([unclaimed.hasNewClaims(), unclaimed.count], [false, 2]);
});

Deno.test("UnclaimedChannels takes a channel that was claimed before the relay got it", () => {
  const { doorbell, unclaimed, take } = some(1);
  take();
  const early = new ServedChannel(createChannelMemory(16_384).buffers, 9);
  claimChannel(early.memory);
  doorbell.claim();
  take();
  unclaimed.add(early);
  assertEquals([unclaimed.hasNewClaims(), take(), unclaimed.count], [true, [9], 1]);
  const ended: number[] = [];
  unclaimed.takeAll(({ id }) => ended.push(id));
  assertEquals([ended, unclaimed.count, unclaimed.hasNewClaims()], [[0], 0, false]);
});
