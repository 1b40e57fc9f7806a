/** One commit for many: who is in it, who is waited for, and for how long. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { GroupCommit } from "../../../opfs/relay/group_commit.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import { createChannelMemory, Word } from "../../../opfs/relay/protocol.ts";
import { ServedChannel } from "../../../opfs/relay/served_channel.ts";
import { ModelVolume } from "../../support/model_volume.ts";

function channelOf(op: number): ServedChannel {
  const channel = new ServedChannel(createChannelMemory(16_384).buffers);
  channel.reader.op = op;
  channel.synced = 1;
  return channel;
}

/** A request of the channel waits for the next commit. */
function defer(group: GroupCommit, channel: ServedChannel, status = 0): void {
  Atomics.add(channel.memory.words, Word.REQUEST, 1);
  channel.take();
  channel.writer.beginResponse();
  group.defer(channel, status);
}

/** The status in the answer of a channel. */
function statusOf({ memory }: ServedChannel): number {
  return memory.words[Word.STATUS]!;
}

Deno.test("GroupCommit commits once for all, and one inode where only one is asked for", () => {
  const volume = new ModelVolume();
  const group = new GroupCommit(volume);
  const [a, b] = [channelOf(Op.FSYNC), channelOf(Op.WRITE)];
  defer(group, a, 0);
  defer(group, b, 7);
  assertEquals(group.size, 2);
  const counted: ServedChannel[] = [];
  group.commit((channel) => void counted.push(channel));
  assertEquals([counted.length, group.size, statusOf(a), statusOf(b)], [2, 0, 0, 7]);
  assertEquals([volume.calls.get("sync"), volume.calls.get("fsync")], [1, undefined]);
  defer(group, a, 0);
  group.commit(() => {});
  assertEquals([volume.calls.get("sync"), volume.calls.get("fsync")], [1, 1]);
});

Deno.test("GroupCommit answers all with what has gone wrong, whatever was thrown", () => {
  for (const [thrown, status] of [[new ErrnoError("ENOSPC", "sync"), -51], [null, -29]] as const) {
    const volume = new ModelVolume();
    volume.sync = () => {
      throw thrown;
    };
    const group = new GroupCommit(volume);
    const channels = [channelOf(Op.SYNC), channelOf(Op.SYNC)];
    for (const channel of channels) defer(group, channel, 0);
    group.commit(() => {});
    assertEquals(channels.map(statusOf), [status, status]);
  }
});

Deno.test("GroupCommit waits for those of the last three commits, unless they wait themselves", () => {
  const group = new GroupCommit(new ModelVolume());
  const [a, b, never] = [channelOf(Op.SYNC), channelOf(Op.SYNC), channelOf(Op.SYNC)];
  const all = [a, b, never];
  for (const channel of [a, b]) defer(group, channel, 0);
  assert(!group.mayGrow(all), "all are in it who ever were");
  group.commit(() => {});
  for (let round = 0; round < 3; round++) {
    defer(group, a, 0);
    assert(group.mayGrow(all));
    b.state = "LOCKED";
    assert(!group.mayGrow(all));
    b.state = "IDLE";
    group.commit(() => {});
  }
  defer(group, a, 0);
  assert(!group.mayGrow(all));
});

Deno.test("GroupCommit is as patient as commits are long, and never longer than 2 ms", () => {
  const volume = new ModelVolume();
  const group = new GroupCommit(volume);
  let lengthMs = 0;
  volume.fsync = () => {
    const until = performance.now() + lengthMs;
    while (performance.now() < until);
  };
  const commit = () => {
    defer(group, channelOf(Op.FSYNC));
    group.commit(() => {});
    return group.patienceMs;
  };
  assertEquals(group.patienceMs, 0);
  lengthMs = 30;
  const rising = Array.from({ length: 20 }, commit);
  assert(rising[0]! <= 0.02 && rising[5]! > rising[0]! && rising.at(-1) === 2, `${rising}`);
  lengthMs = 0;
  assert(Math.min(...Array.from({ length: 5 }, commit)) < 0.5);
});

Deno.test("GroupCommit.defer() takes each request once", () => {
  const group = new GroupCommit(new ModelVolume());
  const a = channelOf(Op.SYNC);
  defer(group, a, 0);
  assertThrows(() => group.defer(a, 0), Error, "R2: a request is deferred twice");
});
