/** Calls that are durable before they return have happened, or have not, whatever the device refuses. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError, isErrnoError } from "../../../abi/errno.ts";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  RENAME_EXCHANGE,
} from "../../../abi/flags.ts";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { writeInBlock } from "../../../opfs/volume/files/file_data.ts";
import { checkVolume } from "../../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import type { Volume } from "../../../opfs/volume/volume.ts";
import { stateOf } from "../../support/engine_state.ts";
import { DIRECTORY, FILE } from "../../support/on_volume.ts";
import { type Prng, prng } from "../../support/prng.ts";
import { viewAll, withoutTimes } from "../../support/volume_view.ts";

const KIB = 1024;
const isLong = Deno.env.get("CAIRN_LONG") === "1";
const LINK = { ...FILE, mode: 0o120777 };

/** A device that takes so many writes, and refuses further ones. */
class MeteredHandle {
  readonly inner = memoryHandle();
  /** Writes that are still taken. */
  left = Infinity;

  read(into: Uint8Array, { at }: { at: number }): number {
    return this.inner.read(into, { at });
  }
  write(from: Uint8Array, { at }: { at: number }): number {
    if (this.left <= 0) throw Object.assign(new Error("no room"), { name: "QuotaExceededError" });
    this.left--;
    return this.inner.write(from, { at });
  }
  truncate(size: number): void {
    this.inner.truncate(size);
  }
  getSize(): number {
    return this.inner.getSize();
  }
  flush(): void {
    this.inner.flush();
  }
  close(): void {}
}

Deno.test("a step that has not happened leaves nothing in the pool for the blocks that it took", () => {
  const volume = openVolumeSync(memoryHandle());
  const state = stateOf(volume);
  const ino = volume.create(volume.root, "a", FILE);
  volume.sync();
  const before = state.pool.dirtyBlocks;
  const slot = (ino >>> 0) - 1;
  let block = -1;
  const refused = () =>
    state.step(() => {
      writeInBlock(state, slot, 0, new Uint8Array(100).fill(7));
      block = state.extents.find(slot, 0).block;
      throw new ErrnoError("EINTR", "go on");
    });
  assertThrows(refused, ErrnoError, "EINTR");
  assert(block >= 0);
  assertEquals([state.pool.peek(block), state.pool.dirtyBlocks], [-1, before]);
  volume.close();
});

/** One call of a random kind. */
interface Call {
  what: string;
  run: (volume: Volume) => number | void;
  /** For a write: what it writes, and where. */
  write?: { ino: number; bytes: Uint8Array; at: number };
}

/** Makes calls up, over the names that there are. */
class Caller {
  readonly #volume: Volume;
  readonly #random: Prng;
  #made = 0;
  readonly #held: number[] = [];

  constructor(volume: Volume, random: Prng) {
    this.#volume = volume;
    this.#random = random;
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#random.below(list.length)]!;
  }

  #paths(isWanted: (mode: number) => boolean): { parent: number; name: string; ino: number }[] {
    const found: { parent: number; name: string; ino: number }[] = [];
    const walk = (parent: number): void => {
      for (const { name, mode } of this.#volume.readdir(parent, 0)) {
        const ino = this.#volume.lookup(parent, name);
        if (isWanted(mode)) found.push({ parent, name, ino });
        if ((mode & 0o170000) === 0o040000) walk(ino);
      }
    };
    walk(this.#volume.root);
    return found;
  }

  #directory(): number {
    return this.#pick([this.#volume.root, ...this.#directories().map(({ ino }) => ino)]);
  }

  #directories(): { parent: number; name: string; ino: number }[] {
    return this.#paths((mode) => (mode & 0o170000) === 0o040000);
  }

  #file(): { parent: number; name: string; ino: number } | undefined {
    return this.#pick(this.#paths((mode) => (mode & 0o170000) === 0o100000));
  }

  #write(ino: number): Call {
    const { size } = this.#volume.getattr(ino);
    const at = this.#pick([0, size, 4096, 64 * KIB, this.#random.below(300 * KIB)]);
    const length = this.#pick([1, 5000, 40 * KIB, 128 * KIB, 300 * KIB + 77]);
    const bytes = new Uint8Array(length).fill(1 + this.#random.below(255));
    return {
      what: `write ${length} at ${at} of ${size}`,
      run: (volume) => volume.write(ino, bytes, at),
      write: { ino, bytes, at },
    };
  }

  #change(ino: number): Call {
    const big = new Uint8Array(20 * KIB).fill(7);
    const mode = this.#pick([
      0,
      FALLOC_FL_ZERO_RANGE,
      FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
    ]);
    const at = this.#random.below(200 * KIB);
    const size = this.#random.below(400 * KIB);
    return this.#pick<Call>([
      { what: `setattr size ${size}`, run: (v) => v.setattr(ino, { size }) },
      { what: "setattr mode", run: (v) => v.setattr(ino, { mode: 0o600 + at % 64 }) },
      { what: `allocate ${mode} at ${at}`, run: (v) => v.allocate(ino, mode, at, 50 * KIB) },
      { what: "setxattr long", run: (v) => v.setxattr(ino, "user.long", big.fill(at), 0) },
      { what: "setxattr", run: (v) => v.setxattr(ino, "user.a", new Uint8Array([at]), 0) },
      {
        what: "removexattr",
        run: (v) => void v.removexattr(ino, this.#pick(["user.long", "user.a"])),
      },
    ]);
  }

  /** A file that has lost its name, or never had one, may be held. */
  #nameless(parent: number, name: string): Call {
    const held = this.#held.pop();
    if (held !== undefined) return { what: "release", run: (v) => v.release(held) };
    return {
      what: "tmpfile and link",
      run: (volume) => {
        const ino = volume.tmpfile(parent, FILE);
        this.#held.push(ino);
        volume.write(ino, new Uint8Array(9000).fill(3), 0);
        volume.link(ino, parent, name);
      },
    };
  }

  next(): Call {
    const file = this.#file();
    const parent = this.#directory();
    const name = `n${this.#made++}`;
    const any = this.#pick(this.#paths(() => true));
    const other = this.#pick(this.#paths(() => true));
    const directory = this.#pick(this.#directories());
    const kind = this.#random.below(14);
    if (file === undefined || any === undefined || kind < 2) {
      return { what: "create", run: (v) => void v.create(parent, name, FILE) };
    }
    if (kind < 5) return this.#write(file.ino);
    if (kind < 8) return this.#change(file.ino);
    if (kind === 8) {
      const target = "t".repeat(1 + this.#random.below(300));
      return { what: "symlink", run: (v) => void v.create(parent, name, { ...LINK, target }) };
    }
    if (kind === 9) return { what: "mkdir", run: (v) => void v.create(parent, name, DIRECTORY) };
    if (kind === 10) return { what: "link", run: (v) => v.link(file.ino, parent, name) };
    if (kind === 11) return { what: "unlink", run: (v) => v.unlink(file.parent, file.name) };
    if (kind === 12 && directory !== undefined) {
      return { what: "rmdir", run: (v) => v.rmdir(directory.parent, directory.name) };
    }
    if (this.#random.below(3) === 0) return this.#nameless(parent, name);
    const flags = this.#random.below(3) === 0 ? RENAME_EXCHANGE : 0;
    const newName = flags !== 0 || this.#random.below(2) === 0 ? other!.name : name;
    const newParent = newName === name ? parent : other!.parent;
    return {
      what: `rename ${flags}`,
      run: (v) => v.rename(any.parent, any.name, newParent, newName, flags),
    };
  }
}

/** The file's bytes when the first `count` of a write are in it. */
function expectWritten(volume: Volume, before: Uint8Array, call: Required<Call>, count: number) {
  const { ino, bytes, at } = call.write;
  const wanted = new Uint8Array(Math.max(before.length, count > 0 ? at + count : 0));
  wanted.set(before);
  wanted.set(bytes.subarray(0, count), at);
  const seen = bytesOf(volume, ino);
  assertEquals(seen.length, wanted.length, call.what);
  assert(seen.every((byte, index) => byte === wanted[index]), `${call.what} answers ${count}`);
}

function bytesOf(volume: Volume, ino: number): Uint8Array {
  const bytes = new Uint8Array(volume.getattr(ino).size);
  volume.read(ino, bytes, 0, true);
  return bytes;
}

/** Tries one call on a device that takes only some writes; whether it was refused. */
function tryCall(volume: Volume, call: Call, isCounted: { left: number }, left: number): boolean {
  const before = viewAll(volume);
  const bytes = call.write === undefined ? null : bytesOf(volume, call.write.ino);
  isCounted.left = left;
  let answer: number | void;
  try {
    answer = call.run(volume);
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    assertEquals(volume.stats().state, "open", call.what);
    if (error.code !== "ENOSPC") return false;
    if (!call.what.startsWith("tmpfile")) assertEquals(viewAll(volume), before, call.what);
    return true;
  } finally {
    isCounted.left = Infinity;
  }
  if (bytes !== null) expectWritten(volume, bytes, call as Required<Call>, answer as number);
  return false;
}

/** What a crash at this moment would leave. */
function onDevice(handle: MeteredHandle): Map<string, string> {
  const copy = new Uint8Array(handle.inner.getSize());
  handle.inner.read(copy, { at: 0 });
  return viewAll(openVolumeSync(memoryHandle(copy), { readOnly: true }));
}

function history(seed: number, blockSize: number, calls: number): number {
  const random = prng(seed);
  const handle = new MeteredHandle();
  let now = 1000;
  const clock = (): number => now++;
  const options = { durability: "op" as const, blockSize, ringBytes: 512 * KIB, clock };
  const volume = openVolumeSync(handle, options);
  const caller = new Caller(volume, random);
  let refused = 0;
  for (let index = 0; index < calls; index++) {
    const left = random.below(4) === 0 ? Infinity : random.below(4);
    if (tryCall(volume, caller.next(), handle, left)) refused++;
    if (index % 5 !== 0) continue;
    assertEquals(withoutTimes(onDevice(handle)), withoutTimes(viewAll(volume)), `call ${index}`);
  }
  const last = viewAll(volume);
  volume.close();
  assertEquals(checkVolume(handle.inner).violations, []);
  assertEquals(viewAll(openVolumeSync(handle.inner, { readOnly: true })), last);
  return refused;
}

for (const blockSize of [512, 4096, 65536]) {
  for (let seed = 1; seed <= (isLong ? 12 : 4); seed++) {
    Deno.test(`what is refused has not happened: blocks of ${blockSize}, seed ${seed}`, () => {
      assert(history(seed, blockSize, isLong ? 250 : 120) > 10);
    });
  }
}
