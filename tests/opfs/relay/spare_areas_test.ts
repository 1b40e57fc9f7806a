import { assert, assertEquals, assertThrows } from "@std/assert";
import { openVolume } from "../../../opfs/compose/open.ts";
import { hintCollector, SPARE_BYTES_MAX, SpareAreas } from "../../../opfs/relay/spare_areas.ts";

const MIB = 1_048_576;

Deno.test("SpareAreas hands out what was given back, of the size that is asked for", () => {
  const spares = new SpareAreas();
  const [small, large] = [spares.take(16_384), spares.take(MIB)];
  spares.give(small);
  spares.give(large);
  assertEquals(spares.bytes, 16_384 + MIB);
  assert(spares.take(MIB) === large);
  assert(spares.take(MIB) !== large);
  assert(spares.take(1) === small);
  assertEquals(spares.bytes, 0);
});

Deno.test("SpareAreas keeps no more than two clients need, the latest ones", () => {
  const spares = new SpareAreas();
  const areas = Array.from({ length: 7 }, () => spares.take(MIB));
  for (const area of areas) spares.give(area);
  assertEquals(spares.bytes, SPARE_BYTES_MAX);
  const kept = [1, 2, 3, 4].map(() => areas.indexOf(spares.take(MIB)));
  assertEquals(kept.sort(), [3, 4, 5, 6]);
  const large = spares.take(SPARE_BYTES_MAX + 8);
  spares.give(large);
  assertEquals(spares.bytes, 0);
});

/** How many bytes of shared memory are made while `work` runs. */
async function sharedBytesOf(work: () => Promise<void>): Promise<number> {
  const { SharedArrayBuffer } = globalThis;
  let bytes = 0;
  globalThis.SharedArrayBuffer = class extends SharedArrayBuffer {
    constructor(length: number) {
      super(length);
      bytes += length;
    }
  } as SharedArrayBufferConstructor;
  try {
    await work();
  } finally {
    globalThis.SharedArrayBuffer = SharedArrayBuffer;
  }
  return bytes;
}

Deno.test("a client that comes after another costs no area more", async () => {
  const name = `${Deno.makeTempDirSync()}/a.cairn`;
  const stays = await openVolume({ name, access: "relay" });
  const file = stays.create(stays.root, "f", { mode: 0o100644, uid: 0, gid: 0 });
  const comeAndGo = async (what: Parameters<typeof openVolume>[0]) => {
    const volume = await openVolume(what);
    volume.write(file, new Uint8Array(100_000).fill(7), 0);
    await volume.promises.write(file, new Uint8Array(100_000).fill(8), 0);
    await volume.close();
    // The relay says that a client has left after its close has been answered.
    await stays.promises.sync();
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await comeAndGo({ name, access: "relay" });
  const bytes = await sharedBytesOf(async () => {
    for (let turn = 0; turn < 10; turn++) await comeAndGo({ name, access: "relay" });
    for (let turn = 0; turn < 10; turn++) await comeAndGo(stays.share());
  });
  assert(bytes < MIB, `${bytes} bytes`);
  await stays.close();
});

Deno.test("a client that has left learns nothing of the one that has its area now", async () => {
  const name = `${Deno.makeTempDirSync()}/a.cairn`;
  const stays = await openVolume({ name, access: "relay" });
  const file = stays.create(stays.root, "f", { mode: 0o100644, uid: 0, gid: 0 });
  stays.write(file, new Uint8Array(10_000).fill(1), 0);
  const ticket = stays.share();
  const left = await openVolume(ticket);
  left.read(file, new Uint8Array(100), 0);
  const pending = left.promises.read(file, new Uint8Array(100), 0).catch((error) => error.code);
  await left.close();
  await pending;
  const next = await openVolume({ name, access: "relay" });
  const into = new Uint8Array(100);
  for (const call of [() => left.read(file, into, 0), () => left.getattr(file)]) {
    assertThrows(call, Error, "EBADF");
  }
  const code = await left.promises.read(file, into, 0).catch((error) => error.code);
  assertEquals([code, into.some((byte) => byte !== 0)], ["EBADF", false]);
  const again = await openVolume(ticket).catch((error) => error.code);
  assertEquals(typeof again, "string");
  assertEquals([next.read(file, into, 0), into[99]], [100, 1]);
  await next.close();
  await stays.close();
});

Deno.test("a client that leaves is counted by its collector, or has no room to be", async () => {
  const { ArrayBuffer } = globalThis;
  const made: number[] = [];
  let isFull = false;
  globalThis.ArrayBuffer = class extends ArrayBuffer {
    constructor(length: number) {
      if (isFull) throw new RangeError("Array buffer allocation failed");
      super(length);
      made.push(length);
    }
  } as ArrayBufferConstructor;
  try {
    const volume = await openVolume({
      name: `${Deno.makeTempDirSync()}/a.cairn`,
      access: "relay",
    });
    made.length = 0;
    await volume.close();
    assertEquals(made.filter((length) => length === 8_388_608).length, 1);
    isFull = true;
    hintCollector();
  } finally {
    globalThis.ArrayBuffer = ArrayBuffer;
  }
});
