import { assert, assertEquals, assertRejects } from "@std/assert";
import { takeVolumeLock, volumeLockName } from "../../../opfs/relay/volume_lock.ts";

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
