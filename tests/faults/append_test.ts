/** An append on a device that becomes full: the count is true, and what was there before stays. */
import { assert, assertEquals } from "@std/assert";
import { ErrnoError } from "../../abi/errno.ts";
import { createFS } from "../../fs/create_fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { PROXYFS } from "../../node_ops/proxyfs.ts";
import { CachedVolume } from "../../opfs/cache.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import type { VolumeOps } from "../../opfs/volume_ops.ts";
import { mounted, NEWEST, STOCK } from "../adapters/emscripten/hosts.ts";
import { fullDevices } from "../support/full_devices.ts";
import { turnedRelay } from "../support/turned_relay.ts";

const MIB = 1 << 20;

/** Appends to `/log`, and says how many bytes, as a program sees it. */
type Appender = (bytes: Uint8Array) => number;

const over = (volume: VolumeOps): Appender => {
  const fs = createFS({ root: { type: VOLUMEFS, options: { volume } } });
  const stream = fs.open("/log", "a");
  return (bytes) => fs.write(stream, bytes, 0, bytes.length);
};

const throughModule = (host: typeof STOCK) => async (volume: Volume): Promise<Appender> => {
  volume.create(volume.root, "log", { mode: 0o100644, uid: 0, gid: 0 });
  const FS = await mounted(host, volume);
  const stream = FS.open("/data/log", "a");
  return (bytes) => FS.write(stream, bytes, 0, bytes.length);
};

/** From a program down to the volume. */
const WAYS: Record<string, (volume: Volume) => Appender | Promise<Appender>> = {
  "FS": over,
  "FS over a relay": (volume) => over(turnedRelay(volume).client(MIB)),
  "FS over a relay, small areas": (volume) => over(turnedRelay(volume).client(16_384)),
  "FS over a cached relay": (volume) => over(new CachedVolume(turnedRelay(volume).client(MIB))),
  "another FS over FS": (volume) => {
    const there = createFS({ root: { type: VOLUMEFS, options: { volume } } });
    const fs = createFS();
    fs.mkdir("/mnt");
    fs.mount(PROXYFS, { fs: there, path: "/" }, "/mnt");
    const stream = fs.open("/mnt/log", "a");
    return (bytes) => fs.write(stream, bytes, 0, bytes.length);
  },
  "an Emscripten module of 3.1.6": throughModule(STOCK),
  "a new Emscripten module": throughModule(NEWEST),
  "VolumeOps.append": (volume) => {
    const ino = volume.create(volume.root, "log", { mode: 0o100644, uid: 0, gid: 0 });
    return (bytes) => {
      const { at, count } = volume.append(ino, bytes);
      assertEquals(at + count, volume.getattr(ino).size);
      return count;
    };
  },
};

/** The answer of an append, 0 when it is refused. */
function answered(append: Appender, bytes: Uint8Array): number {
  try {
    return append(bytes);
  } catch (error) {
    // What a module throws has a number, or a message, or both.
    const { message, errno } = error as { message?: string; errno?: number };
    assert(message?.includes("ENOSPC") || errno === new ErrnoError("ENOSPC").errno, message);
    return 0;
  }
}

function contentsOf(volume: Volume): Uint8Array {
  const ino = volume.lookup(volume.root, "log");
  const bytes = new Uint8Array(volume.getattr(ino).size);
  volume.read(ino, bytes, 0);
  return bytes;
}

/** A log of 2 MiB, room for some more, and appends of all sizes. */
async function appendAll(
  way: (typeof WAYS)[string],
  kind: (typeof fullDevices)[number],
  durability: "op" | "fsync",
  room: number,
): Promise<void> {
  const { device, handle } = kind.make();
  const volume = openVolumeSync(handle, { durability });
  const append = await way(volume);
  assertEquals(append(new Uint8Array(2 * MIB).fill(65)), 2 * MIB);
  volume.sync();
  device.limit = device.used + room * MIB;
  let added = 0;
  for (const size of [3 * MIB, 100_000, 5000, 1]) {
    added += answered(append, new Uint8Array(size).fill(66));
    const bytes = contentsOf(volume);
    assertEquals(bytes.length, 2 * MIB + added, `${size} with room for ${room} MiB`);
    assertEquals(bytes.indexOf(66), added > 0 ? 2 * MIB : -1);
    assertEquals(bytes.lastIndexOf(65), 2 * MIB - 1);
  }
  assertEquals(volume.stats().state, "open");
  volume.close();
  assertEquals(checkVolume(device.inner).violations, []);
}

for (const [name, way] of Object.entries(WAYS)) {
  for (const durability of ["op", "fsync"] as const) {
    Deno.test(`an append through ${name} answers what it has added: ${durability}`, async () => {
      for (const room of [0, 0.1, 0.3, 0.6, 0.9, 2]) {
        await appendAll(way, fullDevices[0]!, durability, room);
      }
    });
  }
}

// What has no room when it is accepted may be refused at the end: that is why browsers are wrapped.
for (const kind of fullDevices.filter(({ keepsRoom }) => keepsRoom)) {
  Deno.test(`an append answers what it has added on a device that ${kind.name}`, async () => {
    for (const way of [WAYS["FS"]!, WAYS["FS over a relay"]!]) {
      for (const durability of ["op", "fsync"] as const) {
        for (const room of [0, 0.3]) await appendAll(way, kind, durability, room);
      }
    }
  });
}
