/**
 * Random writes, appends, truncates and maps of a few files on devices that become full in every way
 * that is known, against a model: direct and through a relay. What was acknowledged stays, what is
 * refused is ENOSPC and has not happened, and with room the volume goes on. `CAIRN_LONG=1` for more.
 */
import { assert, assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import { createFS } from "../../fs/create_fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import type { VolumeOps } from "../../opfs/volume_ops.ts";
import { type FullDevice, type FullDeviceRow, fullDevices } from "../support/full_devices.ts";
import { type Prng, prng } from "../support/prng.ts";
import { turnedRelay } from "../support/turned_relay.ts";

const KIB = 1024;
const isLong = Deno.env.get("CAIRN_LONG") === "1";
const NAMES = ["/a", "/b", "/log"];

type FS = ReturnType<typeof createFS>;

/** What a file must have; `old` where a byte may also still be what it was. */
interface Expected {
  bytes: Uint8Array;
  old: Uint8Array | null;
}

/** One history on one device. */
class History {
  readonly #fs: FS;
  readonly #random: Prng;
  readonly #row: FullDeviceRow;
  readonly #device: FullDevice;
  readonly #volume: Volume;
  readonly #files = new Map<string, Expected>();
  refused = 0;

  constructor(
    made: { volume: Volume; fs: FS; random: Prng; row: FullDeviceRow; device: FullDevice },
  ) {
    this.#fs = made.fs;
    this.#random = made.random;
    this.#row = made.row;
    this.#device = made.device;
    this.#volume = made.volume;
    for (const name of NAMES) {
      this.#fs.writeFile(name, "");
      this.#files.set(name, { bytes: new Uint8Array(0), old: null });
    }
  }

  /** Runs a call; its answer, or null when it was refused for want of room. */
  #try<T>(act: () => T): T | null {
    try {
      return act();
    } catch (error) {
      assert(isErrnoError(error) && error.code === "ENOSPC", String(error));
      assertEquals(this.#volume.stats().state, "open");
      this.refused++;
      return null;
    }
  }

  #write(name: string, isAppend: boolean): void {
    const file = this.#files.get(name)!;
    const { bytes } = file;
    const random = this.#random;
    const at = isAppend
      ? bytes.length
      : [0, bytes.length, random.below(600 * KIB)][random.below(3)]!;
    const length = [1, 3000, 20_000, 64 * KIB, 200 * KIB][random.below(5)]!;
    const from = new Uint8Array(length).fill(1 + random.below(255));
    const stream = this.#fs.open(name, isAppend ? "a" : "r+");
    const count = this.#try(() =>
      this.#fs.write(stream, from, 0, length, isAppend ? undefined : at)
    );
    this.#fs.close(stream);
    const done = count ?? 0;
    const wanted = new Uint8Array(done > 0 ? Math.max(bytes.length, at + done) : bytes.length);
    wanted.set(bytes);
    if (done > 0) wanted.set(from.subarray(0, done), at);
    file.old = null;
    if (done < length && this.#row.lands && at < wanted.length) {
      // What was refused over old bytes may have landed.
      file.old = wanted.slice();
      file.old.set(from.subarray(0, wanted.length - at), at);
    }
    file.bytes = wanted;
  }

  #resize(name: string): void {
    const file = this.#files.get(name)!;
    const size = this.#random.below(700 * KIB);
    const isDone = this.#try(() => {
      this.#fs.truncate(name, size);
      return true;
    });
    if (isDone === null) return;
    const wanted = new Uint8Array(size);
    wanted.set(file.bytes.subarray(0, size));
    file.bytes = wanted;
  }

  /** A map of a part of the file, written and brought back. */
  #map(name: string): void {
    const file = this.#files.get(name)!;
    const { length } = file.bytes;
    if (length < 10) return;
    const stream = this.#fs.open(name, "r+");
    const map = this.#fs.mmap(stream, length, 0, 3, 1);
    const from = this.#random.below(length - 1);
    const part = Math.min(length - from, 5000);
    map.bytes.fill(9, from, from + part);
    if (this.#try(() => (this.#fs.msync(stream, map.bytes, 0, length, 1), true)) === null) {
      // What has not been brought back is still in the map, and goes with room.
      this.#device.limit = Infinity;
    }
    this.#fs.munmap(map);
    file.bytes.fill(9, from, from + part);
    this.#fs.close(stream);
  }

  #sync(): void {
    if (this.#try(() => (this.#volume.sync(), true)) === null) {
      assert(!this.#row.keepsRoom, "what was accepted has no room");
      return;
    }
    this.#compare(onDevice(this.#device));
  }

  #compare(fs: FS): void {
    for (const [name, { bytes, old }] of this.#files) {
      const seen = fs.readFile(name) as Uint8Array;
      assertEquals(seen.length, bytes.length, name);
      for (let at = 0; at < seen.length; at++) {
        if (seen[at] === bytes[at] || seen[at] === old?.[at]) continue;
        assert(false, `${name} at ${at}: ${seen[at]} instead of ${bytes[at]}`);
      }
    }
  }

  /** What is undecided has been read: it is what it is. */
  #decide(): void {
    for (const [name, file] of this.#files) {
      if (file.old === null) continue;
      file.bytes = this.#fs.readFile(name) as Uint8Array;
      file.old = null;
    }
  }

  step(): void {
    const kind = this.#random.below(12);
    const name = NAMES[this.#random.below(2)]!;
    if (kind < 4) this.#write(name, false);
    else if (kind < 7) this.#write("/log", true);
    else if (kind < 9) this.#resize(name);
    else if (kind < 10) this.#sync();
    else this.#limit();
    this.#compare(this.#fs);
    this.#decide();
  }

  map(): void {
    this.#map(NAMES[this.#random.below(2)]!);
    this.#compare(this.#fs);
    this.#decide();
  }

  #limit(): void {
    const room = [0, 10 * KIB, 100 * KIB, Infinity][this.#random.below(4)]!;
    this.#device.limit = this.#device.used + room;
  }

  /** With room everything works. */
  end(): void {
    this.#device.limit = Infinity;
    const before = this.refused;
    for (const name of NAMES) this.#write(name, false);
    this.#sync();
    assertEquals(this.refused, before);
    this.#compare(this.#fs);
  }
}

/** What a crash at this moment would leave. */
function onDevice(device: FullDevice): FS {
  const bytes = new Uint8Array(device.inner.getSize());
  device.inner.read(bytes, { at: 0 });
  const volume = openVolumeSync(memoryHandle(bytes), { readOnly: true });
  return over(volume);
}

const over = (volume: VolumeOps): FS => createFS({ root: { type: VOLUMEFS, options: { volume } } });

const WAYS: Record<string, (volume: Volume) => FS> = {
  direct: over,
  relayed: (volume) => over(turnedRelay(volume).client(32_768)),
};

function run(row: FullDeviceRow, way: (volume: Volume) => FS, seed: number): number {
  const random = prng(seed);
  const { device, handle } = row.make();
  const durability = seed % 2 === 0 ? "op" as const : "fsync" as const;
  const volume = openVolumeSync(handle, { durability, ringBytes: 256 * KIB });
  const history = new History({ volume, fs: way(volume), random, row, device });
  for (let index = 0; index < (isLong ? 150 : 60); index++) {
    history.step();
    if (index % 9 === 0) history.map();
  }
  history.end();
  volume.close();
  assertEquals(checkVolume(device.inner).violations, []);
  return history.refused + device.refused;
}

for (const row of fullDevices) {
  for (const [way, make] of Object.entries(WAYS)) {
    const seeds = isLong ? 8 : 2;
    Deno.test(`a device that ${row.name}, ${way}: seeds 1 to ${seeds}`, () => {
      let refused = 0;
      for (let seed = 1; seed <= seeds; seed++) {
        try {
          refused += run(row, make, seed);
        } catch (error) {
          throw new Error(`seed ${seed}`, { cause: error });
        }
      }
      assert(refused > 0, "nothing was refused");
    });
  }
}
