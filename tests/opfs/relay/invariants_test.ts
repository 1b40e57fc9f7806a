/**
 * What the relay asserts, each once made false: by a volume that answers nonsense, by a relay or a
 * client that calls out of turn. The numbers are those of docs/ARCHITECTURE.md.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Attr } from "../../../abi/attr.ts";
import { ErrnoError } from "../../../abi/errno.ts";
import { InvariantError } from "../../../abi/invariant.ts";
import { S_IFREG } from "../../../abi/mode.ts";
import { LockTable } from "../../../abi/locks.ts";
import { NameCache } from "../../../opfs/cache/names.ts";
import { PageCache } from "../../../opfs/cache/pages.ts";
import { CachedVolume } from "../../../opfs/cache.ts";
import { PortPromises, serveCalls } from "../../../opfs/relay/call_port.ts";
import { Channel, claimChannel, closeChannel, wholeMessage } from "../../../opfs/relay/channel.ts";
import { RelayClient } from "../../../opfs/relay/client.ts";
import { Writer } from "../../../opfs/relay/cursor.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import { Exchange } from "../../../opfs/relay/exchange.ts";
import { RelayHost } from "../../../opfs/relay/host.ts";
import { SpinWait } from "../../../opfs/relay/spin_wait.ts";
import { Metrics } from "../../../opfs/relay/metrics.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import { PathOp } from "../../../opfs/relay/path_operations.ts";
import {
  Claimed,
  Closed,
  createChannelMemory,
  ResponseAt,
  Signal,
  Word,
  writeHeader,
} from "../../../opfs/relay/protocol.ts";
import { writeEntry } from "../../../opfs/relay/records.ts";
import { ServedChannel } from "../../../opfs/relay/served_channel.ts";
import { serveLock } from "../../../opfs/relay/lock_requests.ts";
import { GroupCommit } from "../../../opfs/relay/group_commit.ts";
import { Patience } from "../../../opfs/relay/patience.ts";
import { ReadAhead } from "../../../opfs/relay/read_ahead.ts";
import { stepsOver } from "../../../opfs/relay/steps.ts";
import { UnclaimedChannels } from "../../../opfs/relay/unclaimed_channels.ts";
import { Transfers } from "../../../opfs/relay/transfers.ts";
import { SpareAreas } from "../../../opfs/relay/spare_areas.ts";
import { VolumeLocks } from "../../../opfs/locks.ts";
import { LockKind } from "../../../opfs/volume_ops.ts";
import { ModelVolume } from "../../support/model_volume.ts";
import { neverSeen } from "../../invariants/messages.ts";
import { turnedRelay } from "../../support/turned_relay.ts";

const file = { mode: S_IFREG | 0o644, uid: 0, gid: 0 };

/** Messages that have been seen. */
const seen: string[] = [];

/** Stops unless the call meets an invariant that says so. */
function breaks(call: () => unknown, what: string): void {
  seen.push(assertThrows(() => void call(), InvariantError, what).message);
}

/** The same for a call that answers later. */
async function breaksLater(call: () => Promise<unknown>, what: string): Promise<void> {
  seen.push((await assertRejects(call, InvariantError, what)).message);
}

/** What a client gets when its volume answers so. */
const NONSENSE: readonly [
  what: string,
  break_: (volume: ModelVolume) => void,
  call: (client: RelayClient, ino: number) => unknown,
][] = [
  ["R3: more is moved", (v) => v.read = () => 99, (c, i) => c.read(i, new Uint8Array(9), 0)],
  ["R3: more is moved", (v) => v.read = () => -1, (c, i) => c.read(i, new Uint8Array(9), 0)],
  ["R3: more is moved", (v) => v.write = () => 99, (c, i) => c.write(i, new Uint8Array(9), 0)],
  [
    "R3: more is moved",
    (v) => v.append = () => ({ at: 0, count: 99 }),
    (c, i) => c.append(i, new Uint8Array(9)),
  ],
  ["R6: what is answered", (v) => v.lookup = () => -1, (c) => c.lookup(1, "f")],
  ["R6: what is answered", (v) => v.create = () => NaN, (c) => c.create(1, "n", file)],
  ["R6: a search goes back", (v) => v.seek = () => 0, (c, i) => c.seek(i, 1, 4)],
  ["R3: more is copied", (v) => v.copyRange = () => 99, (c, i) => c.copyRange(i, 0, i, 50, 9)],
  ["R6: a listing goes back", repeatEntries, (c) => c.readdir(1, 4)],
  ["R6: a listing goes back", repeatEntries, (c) => c.readdirAttr(1, 4)],
  ["R6: a name leads to an inode", loseNames, (c) => c.lookupAttr(1, "f")],
  ["R6: a name leads to an inode", loseNames, (c) => c.lookupRetain(1, "f")],
  ["R6: attributes are of another", mixUp, (c, i) => c.getattr(i)],
  ["R6: attributes are less", shrink, (c) => c.createRetain(1, "n", file)],
  ["R6: more is free", overflow, (c) => c.statfs()],
  ["R6: an entry has no such name", nameNothing, (c) => c.readdir(1, 0)],
  ["R6: a name that is listed", (v) => v.lookup = () => 0, (c) => c.readdirAttr(1, 0)],
  [
    "R2: a result looks",
    (v) => v.removexattr = () => -1 as unknown as boolean,
    (c, i) => c.removexattr(i, "user.a"),
  ],
  ["R7: no inode is retained", (v) => v.tmpfile = () => 0, (c) => c.tmpfile(1, file)],
];

function attributes(volume: ModelVolume, change: Partial<Attr>): void {
  const { getattr } = volume;
  volume.getattr = (ino) => ({ ...getattr.call(volume, ino), ...change });
}

function loseNames(volume: ModelVolume): void {
  attributes(volume, { nlink: 0 });
}

function mixUp(volume: ModelVolume): void {
  attributes(volume, { ino: 99 });
}

function shrink(volume: ModelVolume): void {
  attributes(volume, { size: -1 });
}

function overflow(volume: ModelVolume): void {
  const space = volume.statfs();
  volume.statfs = () => {
    delete (volume as { statfs?: unknown }).statfs;
    return { ...space, freeBlocks: space.blocks + 1 };
  };
}

function nameNothing(volume: ModelVolume): void {
  volume.readdir = () => [{ ino: 2, mode: file.mode, name: "", cursor: 1 }];
}

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
    seen.push(error.message);
    assertEquals(one.statfs().blockSize, 4096, "the relay goes on");
  });
}

Deno.test("R5: no call enters the relay while it serves", () => {
  const { relay, volume, client } = turnedRelay();
  volume.statfs = () => {
    relay.turn();
    throw new Error("it was entered");
  };
  const { message } = assertThrows(() => client().statfs(), Error, "R5: the relay is entered");
  seen.push(message);
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
  breaks(other, "R2: an answer is to another question");
  const more = () => answered(2, [0, 0, 0, 0, 0, 0, 0, 0]).getattrs([1]);
  breaks(more, "R2: an answer is to another question");
  const much = () => answered(99, []).write(1, new Uint8Array(9), 0);
  breaks(much, "R3: more is written than was sent");
  const added = () =>
    answered(0, [0, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0]).append(1, new Uint8Array(9));
  breaks(added, "R3: more is appended than was sent");
});

Deno.test("R1: a client publishes one message at a time, and none that is too long", () => {
  const open = () => new Channel(createChannelMemory(16_384), new Doorbell());
  const a = open();
  a.publish(wholeMessage(16));
  breaks(() => a.publish(wholeMessage(16)), "R1: a message is published");
  breaks(() => a.postRelease(1, 0), "R1: an inode is let go of inside");
  breaks(() => open().publish(wholeMessage(16_385)), "than the area");
  const longer = { ...wholeMessage(16), chunkBytes: 17 };
  breaks(() => open().publish(longer), "than its message");
});

Deno.test("R1, R2: the relay takes a request once, answers it once, and not at length", () => {
  const open = () => {
    const memory = createChannelMemory(16_384);
    const served = new ServedChannel(memory.buffers);
    new Channel(memory, new Doorbell()).publish(wholeMessage(16));
    served.take();
    return served;
  };
  const one = open();
  breaks(() => one.take(), "R2: a request is taken twice");
  one.writer.beginResponse();
  one.answer(0);
  one.writer.beginResponse();
  breaks(() => one.answer(0), "R2: a request is answered twice");
  const message = { chunkBytes: 16_385, totalBytes: 16_385, chunkIndex: 0 };
  breaks(() => open().publish(2, message), "R1: an answer is longer");
  const cut = { chunkBytes: 17, totalBytes: 16, chunkIndex: 0 };
  breaks(() => open().publish(2, cut), "R1: a chunk is longer");
  breaks(() => one.noteRetained(0), "R7: no inode is retained");
});

Deno.test("R1, R6: what does not fit into a field is not written", () => {
  const memory = createChannelMemory(200_000);
  const writer = new Writer(memory);
  const long = () => writer.beginResponse().shortText("x".repeat(65_536));
  breaks(long, "R1: a short text is long");
  for (const ino of [-1, NaN, 2 ** 53, 33.5, "33" as unknown as number]) {
    assertThrows(() => writer.begin(Op.RETAIN).ino(ino), ErrnoError, "ESTALE");
  }
  for (const number of [0.5, NaN, 2 ** 32, -(2 ** 31) - 1, "7" as unknown as number]) {
    assertThrows(() => writer.begin(Op.RETAIN).u32(number), ErrnoError, "EINVAL");
  }
});

Deno.test("R5: the relay never sleeps for ever, and no request goes on without its lock", async () => {
  const sleep = { ready: () => true, timeoutMs: Infinity };
  breaks(() => new Doorbell().sleep(sleep), "R5: the relay sleeps");
  let thrown: unknown;
  await new Doorbell().sleepAsync(sleep).catch((error) => thrown = error);
  assert(thrown instanceof InvariantError);
  seen.push(thrown.message);
  const channel = new ServedChannel(createChannelMemory(16_384).buffers);
  channel.ticket = { isHeld: false };
  breaks(() => serveLock(new VolumeLocks(), channel), "R5: a request goes on");
});

Deno.test("R1, R2, R5: nothing is sent, counted or looked for that cannot be", () => {
  const memory = createChannelMemory(16_384);
  const channel = new Channel(memory, new Doorbell());
  const rows: readonly [string, () => unknown][] = [
    ["R1: a channel is closed for no reason", () => closeChannel(memory.words, Closed.OPEN)],
    ["R1: a channel is claimed for no client", () => claimChannel(memory, Claimed.NONE)],
    [
      "R1: a message is shorter",
      () => writeHeader(memory.words, { ...wholeMessage(-1), chunkBytes: 0 }),
    ],
    ["R1: a payload is shorter", () => new Writer(memory).begin(Op.SYNC).end(-1)],
    ["R1: a payload is shorter", () => new Writer(memory).beginResponse().endResponse(0, -1)],
    ["R1: a request is longer", () => {
      channel.writer.begin(Op.SYNC).at = 16_385;
      new Exchange(channel).start();
    }],
    ["R2: a call has moved less", () => {
      new Metrics().add(Op.READ, { timeMs: 0, waitMs: 0, bytes: -1 });
    }],
    ["R5: a spin ends", () => new SpinWait().hit(1_000_000)],
    ["R5: a spin ends", () => new SpinWait().hit(-1)],
    ["R6: an entry has no such name", () => {
      const entry = { ino: 1, mode: 0, name: "x".repeat(256), cursor: 1 };
      writeEntry(new Writer(memory).beginResponse(), entry);
    }],
  ];
  for (const [what, call] of rows) breaks(call, what);
});

Deno.test("L1: two never hold what excludes each other", () => {
  const locks = new VolumeLocks();
  const request = { kind: LockKind.RANGE, owner: 1, type: 1, start: 0, end: 9, wait: false };
  locks.take(1, 7, request);
  const { test } = LockTable.prototype;
  // A table that does not say what is held, when it is asked first.
  let isBlind = true;
  LockTable.prototype.test = function (this: LockTable<unknown>, file, wanted) {
    const found = isBlind ? null : test.call(this, file, wanted);
    isBlind = false;
    return found;
  };
  try {
    breaks(() => locks.take(2, 7, request), "L1: two hold");
  } finally {
    LockTable.prototype.test = test;
  }
});

Deno.test("R6: a page takes no volume without a root", async () => {
  const program = `
    const address = { doorbell: new SharedArrayBuffer(64), root: 0, report: {} };
    let standing = { type: "loaded", version: 1 };
    onmessage = ({ data }) => {
      if (data.type === "init") standing = { type: "ready", version: 1, address };
      postMessage(standing);
    };
    postMessage(standing);`;
  const settings = { busyTimeoutMs: 100, deadlineMs: 1000, sanityCheck: false, engine: {} };
  const place = { kind: "host", path: "nowhere.cairn" } as const;
  const worker = `data:text/javascript,${encodeURIComponent(program)}`;
  const start = () => RelayHost.start({ place, settings, worker, startTimeoutMs: 5000 });
  await breaksLater(start, "R6: a volume has no root");
});

Deno.test("R3: a call by message moves no more than there is", async () => {
  const volume = new ModelVolume();
  volume.read = () => 99;
  const { port1, port2 } = new MessageChannel();
  serveCalls(port2, volume, () => ({}));
  const port = new PortPromises(port1, { isAlive: () => Promise.resolve(true), deadlineMs: 5000 });
  await assertRejects(() => port.calls.read(1, new Uint8Array(9), 0), Error, "R3: more is moved");
  await port.calls.close();
});

Deno.test("R2: a payload does not begin inside of another", () => {
  const channel = new ServedChannel(createChannelMemory(16_384).buffers);
  channel.state = "CHUNK_IN";
  const transfers = new Transfers(new ModelVolume());
  breaks(() => transfers.begin(channel), "R2: a payload begins inside");
  channel.state = "IDLE";
  const goesOn = "R2: a payload goes on that was not begun";
  breaks(() => transfers.continueIn(channel), goesOn);
  breaks(() => transfers.continueOut(channel), goesOn);
  channel.transfer = { kind: "answer", status: 0, bytes: new Uint8Array(9) };
  channel.state = "CHUNK_IN";
  breaks(() => transfers.continueIn(channel), goesOn);
  channel.transfer = { kind: "write", ino: 1, at: 0 };
  channel.state = "CHUNK_OUT";
  breaks(() => transfers.continueOut(channel), goesOn);
});

Deno.test("R2: no payload of an operation by path begins where none are served", () => {
  const channel = new ServedChannel(createChannelMemory(16_384).buffers);
  channel.reader.op = PathOp.READ;
  const begins = () => new Transfers(new ModelVolume()).begin(channel);
  breaks(begins, "R2: an operation by path is begun that is not served");
});

Deno.test("R8: a cache keeps nothing of another inode, and no more than there is", () => {
  const volume = new ModelVolume();
  const ino = volume.create(1, "f", file);
  const other = volume.create(1, "g", file);
  const { getattr } = volume;
  const cached = new CachedVolume(volume);
  volume.getattr = (asked) => ({ ...getattr.call(volume, asked), ino: other });
  breaks(() => cached.getattr(ino), "R8: attributes of another inode");
  volume.getattr = (asked) => ({ ...getattr.call(volume, asked), atime: Date.now() + 60_000 });
  volume.read = () => 99_999;
  const read = () => cached.read(ino, new Uint8Array(9), 0);
  breaks(read, "R8: a page holds more than it can");
  const pages = new PageCache(99_999);
  const before = () => pages.read(ino, new Uint8Array(9), -1);
  breaks(before, "R8: what is before the file");
  breaks(() => pages.forgetRange(ino, 9, 8), "R8: a range ends before");
  const deaf = new ModelVolume();
  Object.defineProperty(deaf, "generation", { value: 0 });
  const change = () => new CachedVolume(deaf).create(1, "f", file);
  breaks(change, "R8: a change is not counted");
  const names = new NameCache(9);
  breaks(() => names.set(1, "f", -1), "R8: a name leads to");
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

Deno.test("R1, R9: an area is given back once, and serves a channel of its size", () => {
  const spares = new SpareAreas();
  const area = spares.take(16_384);
  spares.give(area);
  breaks(() => spares.give(area), "R9: an area is given back twice");
  breaks(() => createChannelMemory(32_768, area), "R1: an area of 16384 bytes for 32768");
});

Deno.test("R1, R2, R5, R8: nothing is waited for twice, kept too long or answered for nothing", async () => {
  const memory = createChannelMemory(16_384);
  breaks(() => new ReadAhead(memory).keep(0, 99_999), "R8: more is kept than an area");
  breaks(() => new GroupCommit(new ModelVolume()).commit(() => {}), "R2: a commit answers no");
  const channel = new ServedChannel(memory.buffers);
  const unclaimed = new UnclaimedChannels(new Doorbell());
  unclaimed.add(channel);
  breaks(() => unclaimed.add(channel), "R1: a channel waits twice");
  breaks(() => channel.pause(-1), "R5: a wait becomes shorter");
  breaks(() => new Patience(0), "R5: a wait has no time");
  const { port1, port2 } = new MessageChannel();
  const group = new GroupCommit(new ModelVolume());
  group.defer(channel, 0);
  breaks(() => group.defer(channel, 0), "R2: a request is deferred twice");
  const deaf = { postMessage() {}, close() {} } as unknown as MessagePort;
  new PortPromises(deaf, { isAlive: () => Promise.resolve(true), deadlineMs: 5000 });
  const answer = new MessageEvent("message", { data: { id: 7 } });
  breaks(() => deaf.onmessage!(answer), "R2: an answer is to no question");
  const steps = stepsOver(port1);
  const first = steps.next();
  breaks(() => steps.next(), "R2: a step is asked for inside of another");
  port2.postMessage({ type: "done", result: 7 });
  assertEquals(await first, { value: 7, done: true });
  port2.close();
});

Deno.test("every invariant of the relay, its cache and its locks has been made false", () => {
  const places = ["opfs/relay", "opfs/cache", "opfs/cache.ts", "opfs/locks.ts"];
  const { never, count } = neverSeen(places, { letters: "RL", seen });
  assertEquals(never, []);
  assert(count > 55, `${count}`);
});
