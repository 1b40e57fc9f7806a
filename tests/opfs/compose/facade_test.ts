/** What openVolume returns, and what it leaves as it was. */
import { assert, assertEquals } from "@std/assert";
import { facadeOf } from "../../../opfs/compose/facade.ts";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { withoutSync } from "../../../opfs/relay/call_port.ts";
import { promisesOf } from "../../../opfs/relay/promises.ts";
import { CALL_ROWS } from "../../../opfs/relay/rows.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { FILE } from "../../support/on_volume.ts";

function opened() {
  const engine = openVolumeSync(memoryHandle());
  const promises = promisesOf(engine);
  let closed = 0;
  const close = () => Promise.resolve(void closed++);
  const volume = facadeOf(engine, { promises, close, stats: () => Promise.resolve({ a: 1 }) });
  return { engine, promises, volume, closed: () => closed };
}

Deno.test("facadeOf() leaves the engine and its promises as they are", async () => {
  const { engine, promises, volume, closed } = opened();
  assertEquals(Reflect.ownKeys(engine), Reflect.ownKeys(openVolumeSync(memoryHandle())));
  assertEquals(await volume.stats(), { a: 1 });
  assert(typeof engine.stats().blockSize === "number");
  await volume.close();
  assertEquals([closed(), engine.close()], [1, undefined]);
  await promises.close();
  assertEquals(closed(), 1);
});

Deno.test("facadeOf() closes in one way, whichever of the three is called", async () => {
  const { engine, volume, closed } = opened();
  await volume.promises.close();
  await volume.close();
  await volume[Symbol.asyncDispose]();
  assertEquals(closed(), 3);
  engine.close();
});

Deno.test("facadeOf() has each call that the volume has, and reports its changes", async () => {
  const { engine, volume } = opened();
  for (const { call } of CALL_ROWS) {
    assertEquals(typeof volume[call], typeof engine[call as "create"], call);
  }
  const before = volume.generation;
  const { create, root } = volume;
  const ino = create(root, "a", FILE);
  assertEquals([volume.generation, engine.generation], [before + 1, before + 1]);
  volume.write(ino, new Uint8Array([1, 2]), 0);
  assertEquals((await volume.promises.getattr(ino)).size, engine.getattr(ino).size);
  engine.close();
});

Deno.test("facadeOf() has no call that the volume lacks", () => {
  const { promises, engine } = opened();
  const close = () => Promise.resolve();
  const volume = facadeOf(withoutSync(engine.root, "await"), { promises, close });
  assertEquals([volume.lookupRetain, volume.lock, volume.onChange], [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals("store" in volume, false);
  engine.close();
});
