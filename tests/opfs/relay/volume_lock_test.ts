import { assert, assertEquals, assertRejects } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import type { LockManager } from "../../../opfs/relay/client_lock.ts";
import { takeVolumeLock, volumeLockName } from "../../../opfs/relay/volume_lock.ts";
import { FakeLocks } from "../../support/fake_locks.ts";

Deno.test("takeVolumeLock() keeps a second one out until it is released", async () => {
  const path = `/${crypto.randomUUID()}.cairn`;
  assertEquals(volumeLockName(path), `cairn:${path}`);
  const release = await takeVolumeLock(path, { timeoutMs: 1000 });
  const before = performance.now();
  const error = await assertRejects(() => takeVolumeLock(path, { timeoutMs: 60 })) as Error;
  assert(
    error.message.startsWith(`EBUSY: cannot open "${path}": another tab or worker has it open`),
  );
  assert(performance.now() - before >= 50);
  const other = await takeVolumeLock(`${path}2`, { timeoutMs: 60 });
  const waiting = takeVolumeLock(path, { timeoutMs: 5000 });
  release();
  (await waiting)();
  other();
  (await takeVolumeLock(path, { timeoutMs: 1000 }))();
});

Deno.test("takeVolumeLock() does nothing where there are no Web Locks", async () => {
  const { navigator } = globalThis;
  Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  try {
    const release = await takeVolumeLock("/a", { timeoutMs: 0 });
    (await takeVolumeLock("/a", { timeoutMs: 0 }))();
    release();
  } finally {
    Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  }
});

/** Runs with other Web Locks than those of the host. */
async function withLocks(locks: unknown, run: () => Promise<void>): Promise<void> {
  const { navigator } = globalThis;
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
  try {
    await run();
  } finally {
    Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  }
}

Deno.test("takeVolumeLock() says that storage is blocked, not that another tab has it", async () => {
  const refused = new DOMException("blocked", "SecurityError");
  const throwing = () => {
    throw refused;
  };
  for (const request of [() => Promise.reject(refused), throwing]) {
    await withLocks({ request }, async () => {
      const error = await assertRejects(() => takeVolumeLock("/a", { timeoutMs: 500 })) as Error;
      assert(error.message.startsWith('EACCES: cannot open "/a": the browser refuses storage'));
      assert(!error.message.includes("another tab"), error.message);
    });
  }
});

Deno.test("takeVolumeLock() hands on an error that is no refusal as EIO", async () => {
  const gone = new DOMException("the document has gone", "InvalidStateError");
  await withLocks({ request: () => Promise.reject(gone) }, async () => {
    const error = await assertRejects(() => takeVolumeLock("/a", { timeoutMs: 500 })) as Error;
    assert(error.message.startsWith("EIO: ") && error.message.includes("has gone"), error.message);
  });
});

Deno.test("takeVolumeLock() advises nothing that two tabs cannot do", async () => {
  const path = `/${crypto.randomUUID()}.cairn`;
  const release = await takeVolumeLock(path, { timeoutMs: 1000 });
  const error = await assertRejects(() => takeVolumeLock(path, { timeoutMs: 10 })) as Error;
  assert(error.message.includes("close it there"), error.message);
  assert(error.message.includes("tabs cannot"), error.message);
  release();
});

Deno.test("takeVolumeLock() takes a free lock however long the browser takes, and waits for no time at all", async () => {
  const fake = new FakeLocks();
  const slow: LockManager = {
    async request(name, options, held) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      return await fake.request(name, options, held);
    },
  };
  await withLocks(slow, async () => {
    const release = await takeVolumeLock("/a", { timeoutMs: 0 });
    assertEquals(fake.count("cairn:/a"), 1);
    await assertRejects(() => takeVolumeLock("/a", { timeoutMs: 0 }), ErrnoError, "EBUSY");
    release();
  });
  // What is just being given back is not held by another.
  await withLocks(fake, async () => {
    const release = await takeVolumeLock("/b", { timeoutMs: 0 });
    setTimeout(release, 75);
    (await takeVolumeLock("/b", { timeoutMs: 0 }))();
  });
});
