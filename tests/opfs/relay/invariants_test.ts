/**
 * What the relay asserts, each once made false: by a volume that answers nonsense, by a relay or a
 * client that calls out of turn. The numbers are those of docs/ARCHITECTURE.md.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../../abi/invariant.ts";
import { S_IFREG } from "../../../abi/mode.ts";
import { NameCache } from "../../../opfs/cache/names.ts";
import { CachedVolume } from "../../../opfs/cache.ts";
import { Channel, wholeMessage } from "../../../opfs/relay/channel.ts";
import { RelayClient } from "../../../opfs/relay/client.ts";
import { Writer } from "../../../opfs/relay/cursor.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import {
  Closed,
  createChannelMemory,
  Op,
  ResponseAt,
  Signal,
  Word,
  writeHeader,
} from "../../../opfs/relay/protocol.ts";
import { ServedChannel } from "../../../opfs/relay/served_channel.ts";
import { serveLock } from "../../../opfs/relay/lock_requests.ts";
import { Transfers } from "../../../opfs/relay/transfers.ts";
import { VolumeLocks } from "../../../opfs/locks.ts";
import { ModelVolume } from "../../support/model_volume.ts";
import { turnedRelay } from "../../support/turned_relay.ts";

const file = { mode: S_IFREG | 0o644, uid: 0, gid: 0 };

/** What a client is told when its volume answers so. */
const NONSENSE: readonly [
  what: string,
  break_: (volume: ModelVolume) => void,
  call: (client: RelayClient, ino: number) => unknown,
][] = [
  ["R3: more is moved", (v) => v.read = () => 99, (c, i) => c.read(i, new Uint8Array(9), 0)],
  ["R3: more is moved", (v) => v.read = () => -1, (c, i) => c.read(i, new Uint8Array(9), 0)],
  ["R3: more is moved", (v) => v.write = () => 99, (c, i) => c.write(i, new Uint8Array(9), 0)],
  ["R3: a file is smaller", (v) => v.append = () => 1, (c, i) => c.append(i, new Uint8Array(9))],
  ["R6: what is answered", (v) => v.lookup = () => -1, (c) => c.lookup(1, "f")],
  ["R6: what is answered", (v) => v.create = () => NaN, (c) => c.create(1, "n", file)],
  ["R6: a search goes back", (v) => v.seek = () => 0, (c, i) => c.seek(i, 1, 4)],
  ["R6: a listing goes back", repeatEntries, (c) => c.readdir(1, 4)],
  ["R6: a listing goes back", repeatEntries, (c) => c.readdirAttr(1, 4)],
  ["R6: a name that is listed", (v) => v.lookup = () => 0, (c) => c.readdirAttr(1, 0)],
  [
    "R2: a result looks",
    (v) => v.removexattr = () => -1 as unknown as boolean,
    (c, i) => c.removexattr(i, "user.a"),
  ],
  ["R7: no inode is retained", (v) => v.tmpfile = () => 0, (c) => c.tmpfile(1, file)],
];

function repeatEntries(volume: ModelVolume): void {
  const { readdir } = volume;
  volume.readdir = (ino) => readdir.call(volume, ino, 0);
}

for (const [what, break_, call] of NONSENSE) {
  Deno.test(`a volume that answers nonsense to ${call} is EIO: "${what}"`, () => {
    const { volume, client } = turnedRelay();
    const one = client();
    const ino = one.create(1, "f", file);
    one.write(ino, new Uint8Array(9), 0);
    break_(volume);
    const error = assertThrows(() => call(one, ino), Error, what) as Error;
    assert(error.message.startsWith("EIO"), error.message);
    assertEquals(one.statfs().blockSize, 4096, "the relay goes on");
  });
}

Deno.test("R5: nobody enters the relay while it serves", () => {
  const { relay, volume, client } = turnedRelay();
  volume.statfs = () => {
    relay.turn();
    throw new Error("it was entered");
  };
  assertThrows(() => client().statfs(), Error, "R5: the relay is entered");
});

/** A client whose other side is played: whatever is asked, it finds this answer. */
function answered(status: number, data: number[]): RelayClient {
  class Played extends Channel {
    override wait(): void {
      const { view, area, words } = this.memory;
      view.setInt32(ResponseAt.STATUS, status, true);
      view.setUint32(ResponseAt.DATA_LEN, data.length, true);
      area.set(data, 8);
      const totalBytes = 8 + data.length;
      const header = { signal: Signal.RESPONSE, chunkBytes: totalBytes, totalBytes, chunkIndex: 0 };
      writeHeader(words, header);
      Atomics.store(words, Word.ANSWER, words[Word.REQUEST]!);
      super.wait("play");
    }
  }
  return new RelayClient(new Played(createChannelMemory(16_384), new Doorbell()), { root: 1 });
}

Deno.test("R2: a client takes no answer to another question", () => {
  const attr = Array.from({ length: 64 }, () => 0);
  attr[0] = 7;
  assertEquals(answered(0, attr).getattr(7).ino, 7);
  const other = () => answered(0, attr).getattr(8);
  assertThrows(other, InvariantError, "R2: an answer is to another question");
  const more = () => answered(2, [0, 0, 0, 0, 0, 0, 0, 0]).getattrs([1]);
  assertThrows(more, InvariantError, "R2: an answer is to another question");
  const much = () => answered(99, []).write(1, new Uint8Array(9), 0);
  assertThrows(much, InvariantError, "R3: more is written than was sent");
});

Deno.test("R1: a client publishes one message at a time, and none that is too long", () => {
  const open = () => new Channel(createChannelMemory(16_384), new Doorbell());
  const a = open();
  a.publish(wholeMessage(16));
  assertThrows(() => a.publish(wholeMessage(16)), InvariantError, "R1: a message is published");
  assertThrows(() => a.postRelease(1, 0), InvariantError, "R1: an inode is let go of inside");
  assertThrows(() => open().publish(wholeMessage(16_385)), InvariantError, "than the area");
  const longer = { ...wholeMessage(16), chunkBytes: 17 };
  assertThrows(() => open().publish(longer), InvariantError, "than its message");
});

Deno.test("R1, R2: the relay takes a request once, answers it once, and not at length", () => {
  const open = () => {
    const memory = createChannelMemory(16_384);
    const served = new ServedChannel(memory.buffer);
    new Channel(memory, new Doorbell()).publish(wholeMessage(16));
    served.take();
    return served;
  };
  const one = open();
  assertThrows(() => one.take(), InvariantError, "R2: a request is taken twice");
  one.writer.beginResponse();
  one.answer(0);
  one.writer.beginResponse();
  assertThrows(() => one.answer(0), InvariantError, "R2: a request is answered twice");
  const message = { chunkBytes: 16_385, totalBytes: 16_385, chunkIndex: 0 };
  assertThrows(() => open().publish(2, message), InvariantError, "R1: an answer is longer");
  const cut = { chunkBytes: 17, totalBytes: 16, chunkIndex: 0 };
  assertThrows(() => open().publish(2, cut), InvariantError, "R1: a chunk is longer");
  assertThrows(() => one.noteRetained(0), InvariantError, "R7: no inode is retained");
});

Deno.test("R1, R6: what does not fit into a field is not written", () => {
  const memory = createChannelMemory(200_000);
  const writer = new Writer(memory);
  const long = () => writer.beginResponse().shortText("x".repeat(65_536));
  assertThrows(long, InvariantError, "R1: a short text is long");
  for (const ino of [-1, NaN, 2 ** 53]) {
    assertThrows(() => writer.begin(Op.RETAIN).ino(ino), InvariantError, "R6: what is sent");
  }
});

Deno.test("R5: the relay never sleeps for ever, and no request goes on without its lock", async () => {
  const sleep = { ready: () => true, timeoutMs: Infinity };
  assertThrows(() => new Doorbell().sleep(sleep), InvariantError, "R5: the relay sleeps");
  let thrown: unknown;
  await new Doorbell().sleepAsync(sleep).catch((error) => thrown = error);
  assert(thrown instanceof InvariantError);
  const channel = new ServedChannel(createChannelMemory(16_384).buffer);
  channel.ticket = { isHeld: false };
  assertThrows(
    () => serveLock(new VolumeLocks(), channel),
    InvariantError,
    "R5: a request goes on",
  );
});

Deno.test("R2: a payload does not begin inside of another", () => {
  const channel = new ServedChannel(createChannelMemory(16_384).buffer);
  channel.state = "CHUNK_IN";
  const transfers = new Transfers(new ModelVolume());
  assertThrows(() => transfers.begin(channel), InvariantError, "R2: a payload begins inside");
});

Deno.test("R8: a cache keeps nothing of another inode, and no more than there is", () => {
  const volume = new ModelVolume();
  const ino = volume.create(1, "f", file);
  const other = volume.create(1, "g", file);
  const { getattr } = volume;
  const cached = new CachedVolume(volume);
  volume.getattr = (asked) => ({ ...getattr.call(volume, asked), ino: other });
  assertThrows(() => cached.getattr(ino), InvariantError, "R8: attributes of another inode");
  volume.getattr = (asked) => ({ ...getattr.call(volume, asked), atime: Date.now() + 60_000 });
  volume.read = () => 99_999;
  const read = () => cached.read(ino, new Uint8Array(9), 0);
  assertThrows(read, InvariantError, "R8: a page holds more than it can");
  const names = new NameCache(9);
  assertThrows(() => names.set(1, "f", -1), InvariantError, "R8: a name leads to");
});

Deno.test("a client that asks again while a commit is waited for is shut out, and no other harmed", () => {
  const { relay, volume, channel, client } = turnedRelay();
  const [a, b, c] = [channel(), channel(), channel()];
  const sync = (one: Channel) => one.publish(wholeMessage(one.writer.begin(Op.SYNC).end()));
  // Commits that take long, so that others are waited for.
  volume.sync = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  for (let round = 0; round < 8; round++) {
    sync(c);
    sync(b);
    relay.turn();
    for (const one of [b, c]) one.wait("sync");
  }
  const { statfs } = volume;
  volume.statfs = () => {
    Atomics.add(a.memory.words, Word.REQUEST, 1);
    return statfs.call(volume);
  };
  sync(a);
  b.publish(wholeMessage(b.writer.begin(Op.STATFS).end()));
  relay.turn();
  assertEquals([a.memory.words[Word.ANSWER], a.memory.words[Word.CLOSED]], [0, Closed.BAD]);
  volume.statfs = statfs;
  assertEquals(client().statfs().blockSize, 4096);
});
