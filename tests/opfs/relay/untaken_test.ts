import { assertEquals } from "@std/assert";
import { claimChannel, closeChannel } from "../../../opfs/relay/channel.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import { Closed, createChannelMemory } from "../../../opfs/relay/protocol.ts";
import { ServedChannel } from "../../../opfs/relay/served_channel.ts";
import { Untaken } from "../../../opfs/relay/untaken.ts";

/** Channels that are not taken, and what has been handed over so far, by number. */
function some(count: number) {
  const doorbell = new Doorbell();
  const untaken = new Untaken(doorbell);
  const channels = Array.from({ length: count }, (_, index) => {
    return new ServedChannel(createChannelMemory(16_384).buffer, index);
  });
  for (const channel of channels) untaken.add(channel);
  const handed: number[] = [];
  const take = () => {
    untaken.take(({ id }) => handed.push(id));
    return handed;
  };
  return { doorbell, untaken, channels, take };
}

Deno.test("Untaken hands over what is claimed or closed, and the rest costs one load", () => {
  const { doorbell, untaken, channels, take } = some(4);
  assertEquals([untaken.hasNews(), take(), untaken.hasNews()], [true, [], false]);
  claimChannel(channels[2]!.memory);
  closeChannel(channels[0]!.memory.words, Closed.UNTAKEN);
  assertEquals(untaken.hasNews(), false);
  doorbell.claim();
  assertEquals([untaken.hasNews(), take()], [true, [0, 2]]);
  assertEquals([untaken.hasNews(), untaken.count], [false, 2]);
});

Deno.test("Untaken looks at a channel that was claimed before the relay heard of it", () => {
  const { doorbell, untaken, take } = some(1);
  take();
  const early = new ServedChannel(createChannelMemory(16_384).buffer, 9);
  claimChannel(early.memory);
  doorbell.claim();
  take();
  untaken.add(early);
  assertEquals([untaken.hasNews(), take(), untaken.count], [true, [9], 1]);
  const ended: number[] = [];
  untaken.takeAll(({ id }) => ended.push(id));
  assertEquals([ended, untaken.count, untaken.hasNews()], [[0], 0, false]);
});
