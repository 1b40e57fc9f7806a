import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { clientLockName, holdLock, watchLock } from "../../../opfs/relay/client_lock.ts";
import { createChannelMemory } from "../../../opfs/relay/protocol.ts";
import { FakeLocks } from "../../support/fake_locks.ts";

const soon = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("clientLockName() is another one for each channel", () => {
  const [one, two] = [createChannelMemory(0), createChannelMemory(0)];
  assert(/^cairn:\/notes\.cairn:[0-9a-f]{32}$/.test(clientLockName("/notes.cairn", one)));
  assertEquals(clientLockName("/a", one), clientLockName("/a", one));
  assertNotEquals(clientLockName("/a", one), clientLockName("/a", two));
});

Deno.test("holdLock() takes a free lock and no other; watchLock() reports when it is released", async () => {
  const locks = new FakeLocks();
  const release = await holdLock("a", { locks });
  assert(release !== null);
  assertEquals(await holdLock("a", { locks }), null);
  let gone = 0;
  const stop = watchLock("a", () => gone++, locks);
  watchLock("a", () => gone += 10, locks);
  await soon();
  assertEquals(gone, 0);
  stop();
  release();
  await soon();
  assertEquals([gone, locks.count("a")], [10, 0]);
});

Deno.test("without Web Locks there is no notice and no wait", async () => {
  const release = await holdLock("a");
  assert(release !== null);
  release();
  watchLock("a", () => assert(false), undefined)();
});
