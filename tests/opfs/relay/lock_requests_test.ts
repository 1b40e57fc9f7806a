/** Locks over the relay: who waits, who is refused at once, and what a death frees. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  F_GETLK,
  F_RDLCK,
  F_SETLK,
  F_UNLCK,
  F_WRLCK,
  LOCK_EX,
  LOCK_NB,
  LOCK_UN,
} from "../../../abi/flags.ts";
import { createFS } from "../../../fs/create_fs.ts";
import { VOLUMEFS } from "../../../node_ops/volume.ts";
import { CachedVolume } from "../../../opfs/cache.ts";
import { type Channel, wholeMessage } from "../../../opfs/relay/channel.ts";
import type { RelayClient } from "../../../opfs/relay/client.ts";
import { Op, OPERATIONS } from "../../../opfs/relay/operations.ts";
import { Closed } from "../../../opfs/relay/protocol.ts";
import { LockKind, type LockRequest, SqliteLevel } from "../../../opfs/volume_ops.ts";
import { type Rig, rigTest } from "../../support/relay_rig.ts";
import { turnedRelay } from "../../support/turned_relay.ts";

const INO = 1;
const HELD: LockRequest = {
  kind: LockKind.RANGE,
  owner: 4_000_000_000,
  type: F_WRLCK,
  start: 2 ** 40,
  end: Infinity,
  wait: true,
};

/** A client in another thread. */
async function startLocker(rig: Rig, options: Record<string, unknown> = {}) {
  const memory = await rig.memory();
  const url = new URL("../../support/lock_worker.ts", import.meta.url).href;
  const worker = new Worker(url, { type: "module" });
  const ask = (message: unknown): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage(message);
    return promise;
  };
  await ask({ buffers: memory.buffers, doorbell: rig.doorbell.buffer, ...options });
  return {
    memory,
    lock: (lock: LockRequest, ino = INO) => ask({ lock, ino }),
    end: () => worker.terminate(),
  };
}

const soon = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Whether a promise is still open after some time. */
async function stillWaits(promise: Promise<unknown>, ms: number): Promise<boolean> {
  return await Promise.race([promise.then(() => false), soon(ms).then(() => true)]);
}

rigTest(
  "a client that waits for a lock keeps no other waiting, and outlives its deadline",
  async (rig) => {
    const client = await rig.client();
    client.lock(INO, HELD);
    const locker = await startLocker(rig, { deadlineMs: 300 });
    const held = locker.lock(HELD);
    const before = performance.now();
    for (let round = 0; round < 200; round++) client.getattr(client.root);
    assert(performance.now() - before < 2000);
    assert(await stillWaits(held, 1200), "it holds what is held");
    client.lock(INO, { ...HELD, type: F_UNLCK });
    assertEquals(await held, "held");
    assertEquals(client.testLock(INO, HELD), {
      type: F_WRLCK,
      start: 2 ** 40,
      end: Infinity,
      owner: -1,
    });
    locker.end();
  },
);

rigTest("a thread that spins gets EAGAIN instead of waiting", async (rig) => {
  const [client, spinning] = [await rig.client(), await rig.client({ blocking: "spin" })];
  client.lock(INO, HELD);
  assertThrows(() => spinning.lock(INO, HELD), Error, "EAGAIN");
  client.unlock(INO, HELD.owner, HELD.kind);
  spinning.lock(INO, HELD);
});

rigTest("EDEADLK over the relay comes at once to who closes the circle", async (rig) => {
  const client = await rig.client();
  const locker = await startLocker(rig);
  const [low, high] = [{ ...HELD, start: 0, end: 1 }, { ...HELD, start: 1, end: 2 }];
  client.lock(INO, low);
  assertEquals(await locker.lock(high), "held");
  const waits = locker.lock(low);
  assert(await stillWaits(waits, 100));
  assertThrows(() => client.lock(INO, high), Error, "EDEADLK");
  client.unlock(INO, HELD.owner, HELD.kind);
  assertEquals(await waits, "held");
  locker.end();
});

rigTest("a client's death frees its locks, and its place in the queue", async (rig) => {
  const client = await rig.client();
  client.lock(INO, HELD);
  const [second, third] = [await startLocker(rig), await startLocker(rig)];
  const waits = second.lock(HELD);
  assert(await stillWaits(waits, 50));
  const next = third.lock(HELD);
  assert(await stillWaits(next, 50));
  const { memory: { words } } = second;
  // As a page does that has heard of the worker's end.
  Atomics.compareExchange(words, 48, 0, 4);
  Atomics.notify(words, 32);
  rig.doorbell.ring();
  assertEquals(await waits, "EIO");
  assert(await stillWaits(next, 50));
  client.close();
  assertEquals(await next, "held");
  for (const locker of [second, third]) locker.end();
});

function mounted(client: RelayClient) {
  const volume = new CachedVolume(client);
  return createFS({ root: { type: VOLUMEFS, options: { volume } } });
}

rigTest("FS.flock() and FS.fcntl() of two clients keep each other out", async (rig) => {
  const [one, two] = [mounted(await rig.client()), mounted(await rig.client())];
  one.writeFile("/f", "text");
  const [a, b] = [one.open("/f", "r+"), two.open("/f", "r+")];
  one.flock(a, LOCK_EX);
  assertThrows(() => two.flock(b, LOCK_EX | LOCK_NB), Error, "EAGAIN");
  one.flock(a, LOCK_UN);
  two.flock(b, LOCK_EX | LOCK_NB);
  two.close(b);
  one.flock(a, LOCK_EX | LOCK_NB);
  const c = two.open("/f", "r+");
  const range = { type: F_WRLCK, start: 0, len: 4 };
  one.fcntl(a, F_SETLK, range);
  assertThrows(() => two.fcntl(c, F_SETLK, { ...range, start: 3 }), Error, "EAGAIN");
  const asked = { type: F_RDLCK, start: 3, len: 0, pid: 77 };
  two.fcntl(c, F_GETLK, asked);
  assertEquals(asked, { type: F_WRLCK, start: 0, len: 4, pid: 0, whence: 0 } as typeof asked);
  // Any close of the file gives an instance's ranges back.
  one.close(one.open("/f", "r"));
  two.fcntl(c, F_SETLK, range);
  assertThrows(() => one.fcntl(a, F_SETLK, range), Error, "EAGAIN");
  two.close(c);
  one.fcntl(a, F_SETLK, range);
});

const { NONE, SHARED, RESERVED, PENDING, EXCLUSIVE } = SqliteLevel;

function levelOf(type: number): LockRequest {
  return { kind: LockKind.SQLITE, owner: 1, type, start: 0, end: 0, wait: false };
}

/** "held", or the error's code. */
function tryLock(client: RelayClient, request: LockRequest): string {
  try {
    client.lock(INO, request);
    return "held";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

Deno.test("SQLite's levels of two clients go together as SQLite says", () => {
  const [yes, no] = ["held", "EAGAIN"];
  // Rows: what one holds; columns: whether another gets SHARED, RESERVED, PENDING, EXCLUSIVE.
  const matrix: readonly [held: number, gets: string[]][] = [
    [NONE, [yes, yes, yes, yes]],
    [SHARED, [yes, yes, yes, no]],
    [RESERVED, [yes, no, no, no]],
    [PENDING, [no, no, no, no]],
    [EXCLUSIVE, [no, no, no, no]],
  ];
  for (const [held, gets] of matrix) {
    for (const [index, want] of gets.entries()) {
      const { client } = turnedRelay();
      const [a, b] = [client(), client()];
      const wanted = SHARED + index;
      // A writer has read before; where a reader may not even be, it comes from nothing.
      const reads = wanted > SHARED && held < EXCLUSIVE;
      if (reads) assertEquals(tryLock(b, levelOf(SHARED)), yes);
      assertEquals(tryLock(a, levelOf(held)), yes);
      const what = `${wanted} beside ${held}`;
      assertEquals(tryLock(b, levelOf(wanted)), want, what);
      if (want === yes) continue;
      const { owner } = b.testLock(INO, levelOf(wanted))!;
      assertEquals(owner, -1, what);
      // When the one goes back to nothing, or dies, the other gets it.
      if (index % 2 === 0) a.lock(INO, levelOf(NONE));
      else a.abandon();
      assertEquals(tryLock(b, levelOf(wanted)), yes, what);
    }
  }
});

Deno.test("a writer that waits for SQLite's readers keeps new ones out, and gets in", () => {
  const { client } = turnedRelay();
  const [reader, writer, late] = [client(), client(), client()];
  assertEquals(tryLock(reader, levelOf(SHARED)), "held");
  for (const level of [SHARED, RESERVED]) assertEquals(tryLock(writer, levelOf(level)), "held");
  assertEquals(tryLock(late, levelOf(SHARED)), "held");
  assertEquals(tryLock(late, levelOf(NONE)), "held");
  assertEquals(tryLock(writer, levelOf(EXCLUSIVE)), "EAGAIN");
  assertEquals(tryLock(late, levelOf(SHARED)), "EAGAIN");
  assertEquals(tryLock(reader, levelOf(SHARED)), "held", "it reads on");
  assertEquals(tryLock(reader, levelOf(NONE)), "held");
  assertEquals(tryLock(writer, levelOf(EXCLUSIVE)), "held");
  // Down again to reading, and others read too.
  assertEquals(tryLock(writer, levelOf(SHARED)), "held");
  assertEquals(tryLock(late, levelOf(RESERVED)), "held");
});

Deno.test("each of SQLite's eight WAL slots is shared or one client's, apart from the others", () => {
  const slot = (type: number, start: number, end = start + 1): LockRequest => {
    return { kind: LockKind.WAL, owner: 1, type, start, end, wait: false };
  };
  const { client } = turnedRelay();
  const [a, b, c] = [client(), client(), client()];
  for (let at = 0; at < 8; at++) {
    assertEquals(tryLock(a, slot(at % 2 === 0 ? F_WRLCK : F_RDLCK, at)), "held");
    assertEquals(tryLock(b, slot(F_RDLCK, at)), at % 2 === 0 ? "EAGAIN" : "held");
    assertEquals(tryLock(c, slot(F_WRLCK, at)), "EAGAIN");
  }
  for (let at = 0; at < 8; at++) {
    assertEquals(tryLock(a, slot(F_UNLCK, at)), "held");
    assertEquals(tryLock(c, slot(F_WRLCK, at)), at % 2 === 0 ? "held" : "EAGAIN");
  }
  b.abandon();
  assertEquals(tryLock(c, slot(F_WRLCK, 0, 8)), "held", "all eight at once");
  for (const bad of [slot(F_WRLCK, 8), slot(F_WRLCK, 7, 9), slot(F_RDLCK, -1, 1)]) {
    assertEquals(tryLock(c, bad), "EINVAL");
  }
});

Deno.test("clients that wait for a lock are served first come first served, dead ones passed over", () => {
  const { relay, channel, client } = turnedRelay();
  const holder = client();
  holder.lock(INO, HELD);
  const waiting = [F_WRLCK, F_RDLCK, F_RDLCK, F_WRLCK, F_RDLCK].map((type) => {
    const one = channel();
    OPERATIONS.LOCK.ask(one.writer.begin(Op.LOCK), INO, { ...HELD, type });
    one.publish(wholeMessage(one.writer.end()));
    relay.turn();
    return one;
  });
  // What a turn frees is given in the next.
  const answered = () => {
    for (let turn = 0; turn < 2; turn++) relay.turn();
    return waiting.map((one) => one.isAnswered());
  };
  const [first, second, third, fourth] = waiting as [Channel, Channel, Channel, Channel];
  assertEquals(answered(), [false, false, false, false, false]);
  holder.lock(INO, { ...HELD, type: F_UNLCK });
  assertEquals(answered(), [true, false, false, false, false]);
  assertThrows(() => client().lock(INO, { ...HELD, wait: false }), Error, "EAGAIN");
  first.close();
  // Both readers that came before the second writer, and not the one after it.
  assertEquals(answered(), [true, true, true, false, false]);
  fourth.close(Closed.CLIENT_GONE);
  assertEquals(answered(), [true, true, true, false, true]);
  for (const one of [second, third, waiting[4]!]) one.close();
  relay.turn();
  client().lock(INO, { ...HELD, wait: false });
});
