/** A flush that is refused for want of room: what the volume has is written again, what it has not is said. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError, isErrnoError } from "../../../../abi/errno.ts";
import { createFS } from "../../../../fs/create_fs.ts";
import { VOLUMEFS } from "../../../../node_ops/volume.ts";
import { CachedVolume } from "../../../../opfs/cache.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { flushDevice, isFullFlush } from "../../../../opfs/volume/journal/flush.ts";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { openVolumeSync, type VolumeOptions } from "../../../../opfs/volume/load/mount.ts";
import { writeDevice } from "../../../../opfs/volume/state.ts";
import { checkVolume } from "../../../../opfs/volume/tools/check.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import type { VolumeOps } from "../../../../opfs/volume_ops.ts";
import { stateOf } from "../../../support/engine_state.ts";
import { ForgettingHandle } from "../../../support/forgetting_handle.ts";
import { contentsOf } from "../../../support/model_tree.ts";
import { FILE } from "../../../support/on_volume.ts";
import { turnedRelay } from "../../../support/turned_relay.ts";

const WAYS: Record<string, (volume: Volume) => VolumeOps> = {
  direct: (volume) => volume,
  relayed: (volume) => turnedRelay(volume).client(32_768),
  "cached and relayed": (volume) => new CachedVolume(turnedRelay(volume).client(32_768)),
};

function opened(options: VolumeOptions = {}): { handle: ForgettingHandle; volume: Volume } {
  const handle = new ForgettingHandle();
  const volume = openVolumeSync(handle, {
    durability: "fsync",
    ringBytes: L.RING_BYTES_MIN,
    ...options,
  });
  volume.sync();
  return { handle, volume };
}

/** Names and contents after power has gone, of an image in which nothing is wrong. */
function afterPowerCut(handle: ForgettingHandle): Record<string, Uint8Array> {
  const device = handle.afterPowerCut();
  const volume = openVolumeSync(device, { create: false });
  assertEquals(volume.report.corrected, []);
  const names = volume.readdir(volume.root, 0).map(({ name }) => name);
  const files = names.map((name) => [name, contentsOf(volume, volume.lookup(volume.root, name))]);
  volume.close();
  assertEquals(checkVolume(device).violations, []);
  return Object.fromEntries(files);
}

/** A call that is refused for want of room. */
function refusalOf(call: () => unknown): ErrnoError {
  const error = assertThrows(call, ErrnoError, "ENOSPC");
  assert(error.message.includes("the device has no room to keep what was written"), error.message);
  return error;
}

Deno.test("isFullFlush() is true for what says that there is no room, and for nothing else", () => {
  const full = [
    new DOMException("", "QuotaExceededError"),
    new ErrnoError("ENOSPC", "flush"),
    Object.assign(new Error(), { code: "EDQUOT" }),
  ];
  const others = [new Error("broken"), new ErrnoError("EIO", "flush"), null, undefined, 7];
  assertEquals(full.map(isFullFlush), full.map(() => true));
  assertEquals(others.map(isFullFlush), others.map(() => false));
});

for (const [way, over] of Object.entries(WAYS)) {
  Deno.test(`small changes whose flush is refused are made durable by the next sync: ${way}`, () => {
    const { handle, volume } = opened();
    const fs = createFS({ root: { type: VOLUMEFS, options: { volume: over(volume) } } });
    fs.writeFile("/before", "before");
    fs.sync();
    fs.writeFile("/small", "small");
    const stream = fs.open("/small", "r");
    for (let round = 0; round < 3; round++) {
      handle.refusals = 1;
      refusalOf(() => fs.fsync(stream));
      assertEquals(volume.stats().state, "open");
      assertEquals(Object.keys(afterPowerCut(handle)), ["before"]);
    }
    fs.writeFile("/later", "later");
    fs.fsync(stream);
    assertEquals(Object.keys(afterPowerCut(handle)), ["before", "small", "later"]);
    assertEquals(new TextDecoder().decode(afterPowerCut(handle)["small"]), "small");
    volume.close();
  });

  Deno.test(`data whose flush is refused is not said to be durable, ever: ${way}`, () => {
    const { handle, volume } = opened();
    const fs = createFS({ root: { type: VOLUMEFS, options: { volume: over(volume) } } });
    fs.writeFile("/before", "before");
    fs.sync();
    fs.writeFile("/large", new Uint8Array(500_000).fill(1));
    const stream = fs.open("/large", "r+");
    handle.refusals = 1;
    const { message } = refusalOf(() => fs.fsync(stream));
    assert(message.includes("make room, and open the volume again"), message);
    const writes = handle.writes.length;
    for (
      const call of [
        () => fs.fsync(stream),
        () => fs.sync(),
        () => fs.write(stream, new Uint8Array(9), 0, 9),
      ]
    ) {
      assertThrows(call, ErrnoError, "EROFS");
    }
    assertEquals((fs.readFile("/large") as Uint8Array).length, 500_000);
    assertEquals(volume.stats().state, "failed");
    volume.close();
    assertEquals(handle.writes.length, writes);
    assertEquals(Object.keys(afterPowerCut(handle)), ["before"]);
  });
}

Deno.test("a call whose flush is refused has not happened, where each call is durable", () => {
  const { handle, volume } = opened({ durability: "op" });
  const ino = volume.create(volume.root, "a", FILE);
  handle.refusals = 1;
  refusalOf(() => volume.write(ino, new Uint8Array(100).fill(1), 0));
  handle.refusals = 1;
  refusalOf(() => volume.unlink(volume.root, "a"));
  assertEquals([volume.getattr(ino).size, volume.lookup(volume.root, "a")], [0, ino]);
  // What has not happened does not come back, whatever of it was stored.
  volume.setattr(ino, { mode: 0o100600 });
  assertEquals(afterPowerCut(handle), { a: new Uint8Array(0) });
  volume.close();
});

Deno.test("the cause of a refused flush travels with the error", () => {
  const { handle, volume } = opened();
  volume.create(volume.root, "a", FILE);
  handle.refusals = 1;
  const { cause } = refusalOf(() => volume.sync());
  assert(cause instanceof DOMException && cause.name === "QuotaExceededError");
});

Deno.test("a header whose flush is refused is written again before the ring of the older one is used", () => {
  const { handle, volume } = opened();
  const state = stateOf(volume);
  const ino = volume.create(volume.root, "f", FILE);
  volume.write(ino, new Uint8Array(20_000).fill(1), 0);
  const record = (): void => {
    volume.write(ino, new Uint8Array(20_000).fill(handle.writes.length), 0);
    volume.sync();
  };
  // Two records less than half of the ring, a header after them, and the rest of the ring.
  volume.sync();
  record();
  record();
  const { checkpoints } = volume.metrics();
  volume.exportImage().cancel();
  assertEquals(volume.metrics().checkpoints, checkpoints + 1);
  const { headerAt } = state;
  volume.setattr(ino, { mode: 0o100600 });
  handle.refusals = 1;
  refusalOf(() => volume.sync());
  const before = handle.writes.length;
  for (let turn = 0; turn < 3; turn++) record();
  assert(handle.writes.slice(before).includes(headerAt), "the header is written again");
  const [bytes] = [contentsOf(volume, ino)];
  assertEquals(afterPowerCut(handle), { f: bytes! });
  volume.close();
});

Deno.test("pages whose way home was refused are brought home again", () => {
  const { handle, volume } = opened();
  for (let index = 0; index < 40; index++) volume.create(volume.root, `f${index}`, FILE);
  volume.sync();
  for (let refused = 0; refused < 3; refused++) {
    handle.refusals = 1;
    refusalOf(() => volume.exportImage());
    assertEquals(volume.stats().state, "open");
  }
  stateOf(volume).committer!.unlog();
  assertEquals(Object.keys(afterPowerCut(handle)).length, 40);
  volume.close();
  assertEquals(Object.keys(afterPowerCut(handle)).length, 40);
});

Deno.test("closing whose flush is refused says so, and what was synced is there", () => {
  for (let delay = 0; delay < 3; delay++) {
    const { handle, volume } = opened();
    volume.create(volume.root, "a", FILE);
    volume.sync();
    volume.create(volume.root, "b", FILE);
    handle.delay = delay;
    handle.refusals = 9;
    refusalOf(() => volume.close());
    assertEquals(Object.keys(afterPowerCut(handle)), delay === 0 ? ["a"] : ["a", "b"]);
  }
});

Deno.test("an export ends with ENOSPC when a flush is refused: what it has put aside may be lost", async () => {
  const { handle, volume } = opened();
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(300_000).fill(1), 0);
  volume.sync();
  const reader = volume.exportImage().getReader();
  await reader.read();
  volume.setattr(ino, { mode: 0o100600 });
  handle.refusals = 1;
  refusalOf(() => volume.sync());
  let refused: unknown = null;
  try {
    while (!(await reader.read()).done);
  } catch (error) {
    refused = error;
  }
  assert(isErrnoError(refused) && refused.code === "ENOSPC", String(refused));
  volume.close();
});

Deno.test("a flush that fails in another way is EIO, and the volume has failed", () => {
  const device = memoryHandle();
  const volume = openVolumeSync(device);
  volume.create(volume.root, "a", FILE);
  device.flush = () => {
    throw new Error("power");
  };
  assertThrows(() => volume.sync(), ErrnoError, "EIO");
  assertEquals(volume.stats().state, "failed");
});

Deno.test("nothing is written or flushed any more after a failure, by no call", () => {
  const { handle, volume } = opened();
  const state = stateOf(volume);
  const ino = volume.create(volume.root, "large", FILE);
  volume.write(ino, new Uint8Array(500_000).fill(1), 0);
  handle.refusals = 1;
  const failure = refusalOf(() => volume.sync());
  const { length } = handle.writes;
  handle.flush = () => assert(false, "flushed after a failure");
  for (const call of [() => writeDevice(state, new Uint8Array(512), 0), () => flushDevice(state)]) {
    assertEquals(assertThrows(call, ErrnoError), failure);
  }
  assertEquals(handle.writes.length, length);
});
