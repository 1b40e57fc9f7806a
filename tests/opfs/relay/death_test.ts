/** Deaths: of a client and of the relay, at each point of the protocol. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { S_IFREG } from "../../../abi/mode.ts";
import { openVolume } from "../../../opfs/compose/open.ts";
import { Channel, claimChannel, wholeMessage } from "../../../opfs/relay/channel.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import {
  type ChannelMemory,
  Claimed,
  Closed,
  createChannelMemory,
  Signal,
  Word,
} from "../../../opfs/relay/protocol.ts";
import { Relay } from "../../../opfs/relay/server.ts";
import { LockKind, type LockRequest } from "../../../opfs/volume_ops.ts";
import { ModelVolume } from "../../support/model_volume.ts";
import { startRig } from "../../support/relay_rig.ts";

const file = { mode: S_IFREG | 0o644, uid: 0, gid: 0 };
const LOCK: LockRequest = { kind: LockKind.FLOCK, owner: 1, type: 1, start: 0, end: 0, wait: true };

/** A relay that is turned by hand, and what is known of its clients. */
function rig(volume = new ModelVolume()) {
  const watched: { memory: ChannelMemory; gone: () => void; stopped: boolean }[] = [];
  const relay = new Relay(volume, {
    watchClient(memory, gone) {
      const watch = { memory, gone, stopped: false };
      watched.push(watch);
      return () => watch.stopped = true;
    },
  });
  const open = (areaBytes = 16_384) => {
    const memory = createChannelMemory(areaBytes);
    relay.attach(memory.buffers);
    return new Channel(memory, relay.doorbell, { deadlineMs: 200 });
  };
  return { volume, relay, open, watched };
}

function publish(channel: Channel, fill: (channel: Channel) => number): void {
  channel.publish(wholeMessage(fill(channel)));
}

function lock(channel: Channel): number {
  const { owner, kind, type } = LOCK;
  return channel.writer.begin(Op.LOCK).ino(1).u32(kind).u32(owner).u32(type).u32(1).f64(0).f64(1)
    .end();
}

function create(channel: Channel): number {
  return channel.writer.begin(Op.CREATE_RETAIN).path("f").ino(1).u32(file.mode).u32(0).u32(0)
    .u32(0).end();
}

/** Publishes the first chunk of an append of three. */
function startAppend(channel: Channel, ino: number): void {
  const { area } = channel.memory;
  const totalBytes = channel.writer.begin(Op.APPEND).ino(ino).end(area.length * 3);
  channel.publish({ signal: Signal.REQUEST, chunkBytes: area.length, totalBytes, chunkIndex: 0 });
}

function statusOf(channel: Channel): number {
  channel.wait("test");
  channel.reader.openResponse(channel.header);
  return channel.reader.status;
}

type Rig = ReturnType<typeof rig>;

/** Where a client or the relay is when it dies; what the client has asked by then. */
const POINTS: readonly {
  name: string;
  reach(rig: Rig, channel: Channel, other: Channel): void;
  /** How many files of the name "f" the volume has in the end. */
  files: number;
}[] = [
  { name: "before the request is seen", reach: (_, a) => publish(a, create), files: 0 },
  {
    name: "in the middle of a payload",
    reach({ relay, volume }, a) {
      startAppend(a, volume.create(1, "f", file));
      relay.turn();
      assertEquals([a.isAnswered(), volume.getattr(volume.lookup(1, "f")).size > 0], [true, true]);
    },
    files: 1,
  },
  {
    name: "after the change, before its answer",
    reach({ relay, volume }, a) {
      // The commit of its turn is the place between the two.
      publish(a, (c) => {
        c.writer.begin(Op.CREATE_RETAIN, 1).path("f").ino(1).u32(file.mode).u32(0).u32(0).u32(0);
        return c.writer.end();
      });
      volume.sync = () => a.close(Closed.CLIENT_GONE);
      relay.turn();
      assertEquals(a.isAnswered(), false);
    },
    files: 1,
  },
  {
    name: "after the answer",
    reach({ relay }, a) {
      publish(a, create);
      relay.turn();
      assertEquals(statusOf(a), 0);
    },
    files: 1,
  },
  {
    name: "while it waits for a lock",
    reach({ relay }, a, other) {
      publish(other, lock);
      relay.turn();
      assertEquals(statusOf(other), 0);
      publish(a, lock);
      relay.turn();
      assertEquals(a.isAnswered(), false);
    },
    files: 0,
  },
  {
    name: "while it waits for an append's turn",
    reach({ relay, volume }, a, other) {
      const ino = volume.create(1, "f", file);
      startAppend(other, ino);
      relay.turn();
      publish(a, (c) => c.writer.begin(Op.APPEND).ino(ino).u32(7).end());
      relay.turn();
      assertEquals(a.isAnswered(), false);
    },
    files: 1,
  },
];

for (const { name, reach, files } of POINTS) {
  Deno.test(`a client that dies ${name} leaves nothing there`, () => {
    const made = rig();
    const { relay, volume, open } = made;
    const [a, other, third] = [open(), open(), open()];
    reach(made, a, other);
    a.close(Closed.CLIENT_GONE);
    other.close();
    relay.turn();
    assertEquals(relay.clientCount, 1);
    const found = volume.lookup(1, "f");
    assertEquals(found === 0 ? 0 : 1, files, "applied once, or not at all");
    // What it held is free: the lock, the append's turn, the inode.
    publish(third, lock);
    relay.turn();
    assertEquals(statusOf(third), 0);
    if (found === 0) return;
    const size = volume.getattr(found).size;
    publish(third, (c) => c.writer.begin(Op.APPEND).ino(found).u32(7).end());
    relay.turn();
    assertEquals([statusOf(third), volume.getattr(found).size], [0, size + 4]);
    volume.unlink(1, "f");
    assertEquals(volume.inodeCount, 1);
  });

  Deno.test(`a relay that dies while a client is ${name} is EIO, in bounded time`, () => {
    const made = rig();
    const { open } = made;
    const [a, other] = [open(), open()];
    reach(made, a, other);
    // The relay is not turned any more, and nothing is said.
    if (a.isAnswered()) publish(a, (c) => c.writer.begin(Op.STATFS).end());
    const before = performance.now();
    assertThrows(() => a.wait("call"), Error, "EIO");
    assert(performance.now() - before < 2000);
    assertThrows(() => a.assertOpen("call"), Error, "EIO");
  });
}

Deno.test("a dead client is watched by its Web Lock only once it holds it", async () => {
  const { relay, open, watched } = rig();
  const [one, two] = [open(), open()];
  const running = relay.run();
  claimChannel(one.memory);
  claimChannel(two.memory, Claimed.LOCKED);
  relay.doorbell.ring();
  const until = async (isSo: () => boolean) => {
    const before = performance.now();
    while (!isSo() && performance.now() - before < 5000) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await until(() => watched.length > 0);
  assertEquals(watched.map(({ memory }) => memory.buffers), [two.memory.buffers]);
  watched[0]!.gone();
  await until(() => watched[0]!.stopped);
  assertEquals([relay.clientCount, watched[0]!.stopped], [1, true]);
  assertThrows(() => two.assertOpen("call"), Error, "this client has ended");
  await relay.stop();
  await running;
});

Deno.test("others come and go while one client never pauses, and are noticed at once", async () => {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const rigged = await startRig();
  const busyMemory = await rigged.memory(16_384);
  const url = new URL("../../support/client_worker.ts", import.meta.url).href;
  const busy = new Worker(url, { type: "module" });
  const ended = new Promise((resolve) => busy.onmessage = resolve);
  const { doorbell } = rigged;
  busy.postMessage({
    buffers: busyMemory.buffers,
    doorbell: doorbell.buffer,
    job: "hammer",
    stop: stop.buffer,
  });
  while (busyMemory.words[Word.REQUEST]! < 100) await new Promise((r) => setTimeout(r, 1));
  const [noticed, attached]: [number[], number[]] = [[], []];
  const attach = async () => {
    const before = performance.now();
    const client = await rigged.client();
    attached.push(performance.now() - before);
    return client;
  };
  for (let round = 0; round < 9; round++) {
    const [second, third] = [await attach(), await attach()];
    second.lock(1, LOCK);
    const before = performance.now();
    second.abandon();
    // The lock of the dead one is given to the next as soon as the death is noticed.
    third.lock(1, LOCK);
    noticed.push(performance.now() - before);
    third.close();
  }
  Atomics.store(stop, 0, 1);
  await ended;
  busy.terminate();
  await rigged.stop();
  for (const waits of [noticed, attached]) waits.sort((x, y) => x - y);
  const told = `noticed after ${noticed.map(Math.round)} ms, attached in ${
    attached.map(Math.round)
  }`;
  console.log(told);
  // The machine may be busy with anything for a moment; most of the time it is not.
  assert(noticed[4]! < 100 && attached[9]! < 100, told);
});

Deno.test("a volume whose relay was killed is opened again, with all that was fsynced", async () => {
  const directory = Deno.makeTempDirSync();
  const name = `${directory}/a.cairn`;
  const program = new URL("../../../opfs/compose/worker.ts", import.meta.url).href;
  let killed: Worker | undefined;
  const worker = () => killed = new Worker(program, { type: "module" });
  try {
    const volume = await openVolume({ name, access: "relay", worker, deadlineMs: 300 });
    const ino = volume.create(volume.root, "kept", file);
    volume.write(ino, Uint8Array.of(1, 2, 3), 0);
    volume.fsync(ino);
    killed!.terminate();
    // Deno's worker dies when its thread next looks up; what it answers until then is true.
    const ended = performance.now();
    const goOn = () => {
      while (performance.now() - ended < 10_000) volume.setattr(ino, { mode: 0o600 });
    };
    assertThrows(goOn, Error, "EIO");
    const before = performance.now();
    assertThrows(() => volume.setattr(ino, { mode: 0o600 }), Error, "EIO");
    assert(performance.now() - before < 3000);
    const again = await openVolume({ name, access: "relay", worker, deadlineMs: 3000 });
    const into = new Uint8Array(9);
    assertEquals(again.read(again.lookup(again.root, "kept"), into, 0), 3);
    assertEquals([...into.subarray(0, 3)], [1, 2, 3]);
    await again.close();
    await volume.close().catch(() => {});
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
