/** Locks over the relay: who waits, who is told at once, and what a death frees. */
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
import type { RelayClient } from "../../../opfs/relay/client.ts";
import { LockKind, type LockRequest } from "../../../opfs/volume_ops.ts";
import { type Rig, startRig } from "../../support/relay_rig.ts";

const INO = 1;
const HELD: LockRequest = {
  kind: LockKind.RANGE,
  owner: 4_000_000_000,
  type: F_WRLCK,
  start: 2 ** 40,
  end: Infinity,
  wait: true,
};

function rigTest(name: string, run: (rig: Rig) => Promise<void>): void {
  Deno.test(name, async () => {
    const rig = await startRig();
    try {
      await run(rig);
    } finally {
      await rig.stop();
    }
  });
}

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
  await ask({ buffer: memory.buffer, doorbell: rig.doorbell.buffer, ...options });
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
  "a client that waits for a lock keeps nobody waiting, and outlives its deadline",
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

rigTest("a thread that spins is told EAGAIN instead of waiting", async (rig) => {
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
