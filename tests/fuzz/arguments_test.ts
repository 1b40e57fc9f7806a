/**
 * Arguments, options, pool sizes and block sizes alone: no InvariantError and no foreign exception
 * comes out of them, no volume fails, and each is clean afterwards. That is the only question here;
 * what the calls answer is asked elsewhere.
 */
import { assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import { createFS } from "../../fs/create_fs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync, type VolumeOptions } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import type { VolumeOps } from "../../opfs/volume_ops.ts";
import { LimitedHandle } from "../support/limited_handle.ts";
import { prng } from "../support/prng.ts";
import { turnedRelay } from "../support/turned_relay.ts";
import { FakeKernel, type Field, u32, u64 } from "../adapters/fuse/fake_kernel.ts";
import { Hostile } from "./hostile_values.ts";

const IS_LONG = Deno.env.get("CAIRN_LONG") === "1";
const SEEDS = IS_LONG ? 400 : 20;
const CALLS = 400;
const MIB = 1024 * 1024;

/** Runs a call; what it throws must be an ErrnoError that no invariant caused. */
function ask(seed: number, what: string, call: () => unknown): unknown {
  try {
    const answer = call();
    if (answer instanceof Promise) later.push(answer.catch((error) => judge(seed, what, error)));
    return answer;
  } catch (error) {
    return judge(seed, what, error);
  }
}

/** What calls that answer later come to. */
const later: Promise<unknown>[] = [];

function judge(seed: number, what: string, error: unknown): undefined {
  const { cause } = (error ?? {}) as { cause?: { name?: string } };
  if (isErrnoError(error) && cause?.name !== "InvariantError") return undefined;
  throw new Error(`seed ${seed}, ${what}: ${String(error)}`, { cause: error });
}

/** A volume has failed, and why. */
function failed(seed: number, what: string, volume: Volume): Error {
  try {
    volume.sync();
  } catch (error) {
    return new Error(`seed ${seed}, ${what}: the volume has failed`, { cause: error });
  }
  return new Error(`seed ${seed}, ${what}: the volume has not failed`);
}

/** A device that ends somewhere, so that no call fills this machine's memory. */
function device(hostile: Hostile): { bytes: StorageHandle; handle: StorageHandle } {
  const bytes = memoryHandle();
  const limit = hostile.random.pick([3 * MIB, 80 * MIB, 600 * MIB]);
  return { bytes, handle: new LimitedHandle(bytes, limit) };
}

/** Options that can be, of every size. */
function optionsFor({ random }: Hostile): VolumeOptions {
  const blockSize = 512 << random.below(12);
  return {
    blockSize,
    poolBytes: random.pick([0, 1, 64 * blockSize, 200 * blockSize]),
    ringBytes: random.pick([128, 256, 512]) * 1024,
    durability: random.pick(["op", "fsync", "periodic"]),
    commitIntervalMs: random.pick([0, 1, 5000]),
    ...random.pick([{}, { maxBytes: 2 * MIB }, { quotaBytes: 0 }]),
  };
}

/** An inode: mostly one that is there. */
function inoOf(volume: VolumeOps, hostile: Hostile): number {
  if (hostile.oneIn(6)) return hostile.number();
  return volume.lookup(volume.root, hostile.random.pick(["a", "b", "c", "d"])) || volume.root;
}

type OpCall = (volume: VolumeOps, hostile: Hostile, ino: number) => unknown;

/** Every call of a volume with hostile values. */
const OPS: Record<string, OpCall> = {
  lookup: (v, h, ino) => v.lookup(ino, h.name()),
  create: (v, h) =>
    v.create(h.oneIn(9) ? h.number() : v.root, h.name(), {
      mode: h.mode(),
      uid: h.small(),
      gid: h.small(),
      ...h.random.pick([{}, { rdev: h.number() }, { target: h.name() }]),
    }),
  tmpfile: (v, h, ino) => v.tmpfile(ino, { mode: h.mode(), uid: h.small(), gid: h.small() }),
  link: (v, h, ino) => v.link(ino, v.root, h.name()),
  unlink: (v, h) => v.unlink(v.root, h.name()),
  rmdir: (v, h) => v.rmdir(v.root, h.name()),
  rename: (v, h) => v.rename(v.root, h.name(), v.root, h.name(), h.oneIn(3) ? h.number() : 0),
  readdir: (v, h, ino) => v.readdir(ino, h.number()),
  readlink: (v, _, ino) => v.readlink(ino),
  getattr: (v, _, ino) => v.getattr(ino),
  truncate: (v, h, ino) => v.setattr(ino, { size: h.number() }),
  setattr: (v, h, ino) =>
    v.setattr(ino, {
      mode: h.number(),
      ...h.random.pick([{}, { uid: h.number() }, { mtime: h.number(), atime: h.number() }]),
    }),
  read: (v, h, ino) => v.read(ino, h.bytes(), h.number()),
  write: (v, h, ino) => v.write(ino, h.bytes(), h.number()),
  writeNear: (v, h, ino) => v.write(ino, h.bytes(MIB), h.small()),
  append: (v, h, ino) => v.append(ino, h.bytes()),
  seek: (v, h, ino) => v.seek(ino, h.number(), h.random.pick([3, 4, h.number()])),
  allocate: (v, h, ino) =>
    v.allocate(ino, h.random.pick([0, 1, 3, 16, 17, h.number()]), h.number(), h.number()),
  copyRange: (v, h, ino) => v.copyRange(ino, h.number(), ino, h.number(), h.number()),
  copyRangeNear: (v, h, ino) =>
    v.copyRange(ino, h.small(), h.oneIn(9) ? h.number() : ino, h.small(), h.random.below(MIB)),
  allocateNear: (v, h, ino) =>
    v.allocate(ino, h.random.pick([0, 1, 3, 16, 17]), h.small(), 1 + h.random.below(MIB)),
  getxattr: (v, h, ino) => v.getxattr(ino, h.name()),
  setxattr: (v, h, ino) =>
    v.setxattr(ino, h.name(), h.bytes(), h.random.pick([0, 1, 2, h.number()])),
  listxattr: (v, _, ino) => v.listxattr(ino),
  removexattr: (v, h, ino) => v.removexattr(ino, h.name()),
  retain: (v, _, ino) => v.retain(ino),
  release: (v, _, ino) => v.release(ino),
  fsync: (v, _, ino) => v.fsync(ino),
  sync: (v) => v.sync(),
  statfs: (v) => v.statfs(),
};

/** Calls that only a relay's client has. */
const FAR_OPS: Record<string, OpCall> = {
  lookupAttr: (v, h, ino) => v.lookupAttr?.(ino, h.name()),
  lookupRetain: (v, h, ino) => v.lookupRetain?.(ino, h.name()),
  createRetain: (v, h) =>
    v.createRetain?.(v.root, h.name(), { mode: h.mode(), uid: h.small(), gid: h.small() }),
  readdirAttr: (v, h, ino) => v.readdirAttr?.(ino, h.number()),
  getattrs: (v, h, ino) => v.getattrs?.([ino, h.number(), v.root]),
  store: (v, h) =>
    v.store?.(v.root, h.name(), { mode: h.mode(), uid: h.small(), gid: h.small() }, h.bytes()),
  lock: (v, h, ino) =>
    v.lock?.(ino, {
      kind: h.random.pick([0, 1, 2, 3, h.number()]),
      owner: h.number(),
      type: h.random.pick([0, 1, 2, h.number()]),
      start: h.number(),
      end: h.number(),
      wait: false,
    }),
  unlock: (v, h, ino) => v.unlock?.(ino, h.number(), h.number()),
};

/** Makes calls, and closes the volume, which must not have failed. */
function runOn(
  seed: number,
  { volume, engine, bytes, ops }: {
    volume: VolumeOps;
    engine: Volume;
    bytes: StorageHandle;
    ops: Record<string, OpCall>;
  },
): void {
  const hostile = new Hostile(prng(seed * 7919));
  const names = Object.keys(ops);
  for (let call = 0; call < CALLS; call++) {
    const name = hostile.random.pick(names);
    ask(seed, `call ${call}, ${name}`, () => ops[name]!(volume, hostile, inoOf(volume, hostile)));
    if (engine.stats().state !== "failed") continue;
    throw failed(seed, `call ${call}, ${name}`, engine);
  }
  ask(seed, "close", () => engine.close());
  assertEquals(checkVolume(bytes).violations, [], `seed ${seed}`);
}

Deno.test("no argument of a volume's calls reaches an invariant, whatever its blocks and its pool", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const hostile = new Hostile(prng(seed));
    const { bytes, handle } = device(hostile);
    const options = optionsFor(hostile);
    const volume = ask(seed, JSON.stringify(options), () => openVolumeSync(handle, options));
    if (volume === undefined) continue;
    const engine = volume as Volume;
    runOn(seed, { volume: engine, engine, bytes, ops: OPS });
  }
  console.log(`seeds 1 to ${SEEDS}, ${CALLS} calls each`);
});

Deno.test("no argument of a relayed volume's calls reaches an invariant, on either side", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const hostile = new Hostile(prng(seed + 5000));
    const { bytes, handle } = device(hostile);
    const engine = ask(seed, "open", () => openVolumeSync(handle, optionsFor(hostile)));
    if (engine === undefined) continue;
    const { client } = turnedRelay(engine as Volume);
    const volume = client(hostile.random.pick([16_384, 20_000, 65_536]));
    const ops = { ...OPS, ...FAR_OPS };
    runOn(seed, { volume, engine: engine as Volume, bytes, ops });
  }
  console.log(`seeds 5001 to ${5000 + SEEDS}, ${CALLS} calls each`);
});

Deno.test("no option of openVolumeSync() reaches an invariant", () => {
  const names = [
    ...["blockSize", "poolBytes", "ringBytes", "durability", "commitIntervalMs", "maxBytes"],
    ...["limitBytes", "slots", "quotaBytes", "label", "create", "readOnly", "clock", "random"],
  ];
  for (let seed = 1; seed <= SEEDS * 20; seed++) {
    const hostile = new Hostile(prng(seed));
    const options: Record<string, unknown> = {};
    for (let count = 1 + hostile.random.below(3); count > 0; count--) {
      options[hostile.random.pick(names)] = hostile.oneIn(2)
        ? hostile.anything()
        : hostile.number();
    }
    const what = Object.keys(options).join();
    const handle = new LimitedHandle(memoryHandle(), 80 * MIB);
    const opened = ask(seed, what, () => openVolumeSync(handle, options as VolumeOptions));
    if (opened === undefined) continue;
    const volume = opened as Volume;
    ask(seed, what, () => {
      const ino = volume.create(volume.root, "a", { mode: 0o100644, uid: 0, gid: 0 });
      volume.write(ino, new Uint8Array(10_000), 0);
      volume.sync();
    });
    ask(seed, what, () => volume.close());
  }
});

Deno.test("no argument of FS's calls is answered by anything but an ErrnoError", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const hostile = new Hostile(prng(seed + 9000));
    const { bytes, handle } = device(hostile);
    const opened = ask(seed, "open", () => openVolumeSync(handle, optionsFor(hostile)));
    if (opened === undefined) continue;
    const volume = opened as Volume;
    const made = seed % 3 === 0
      ? createFS({ root: { type: MEMFS, options: {} } })
      : createFS({ root: { type: VOLUMEFS, options: { volume } } });
    const fs = made as unknown as Record<string, (...args: unknown[]) => unknown>;
    const open = fs.open!.bind(fs);
    const streams = ["a", "b"].map((name) =>
      ask(seed, "open", () => open(`/${name}`, 0o102, 0o644))
    );
    const calls = callsOf(fs);
    for (let call = 0; call < CALLS; call++) {
      const name = hostile.random.pick(calls);
      const args = Array.from({ length: hostile.random.below(6) }, (_, index) => {
        if (index === 0 && hostile.oneIn(2)) {
          return hostile.random.pick([...streams, "/a", "/b", "/"]);
        }
        return hostile.anything();
      });
      ask(seed, `call ${call}, ${name}`, () => fs[name]!(...args));
      if (volume.stats().state === "failed") {
        throw failed(seed, `call ${call}, ${name}`, volume);
      }
    }
    await Promise.all(later.splice(0));
    ask(seed, "close", () => volume.close());
    assertEquals(checkVolume(bytes).violations, [], `seed ${seed}`);
  }
});

/** Names of the calls that FS has; those that run what they are given are left out. */
function callsOf(fs: object): string[] {
  const names = new Set<string>();
  for (let at = fs; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  }
  const isCall = (name: string): boolean => {
    const found = Object.getOwnPropertyDescriptor(protoWith(fs, name), name);
    return typeof found?.value === "function" &&
      !/^([A-Z].*|constructor|quit|mount|unmount)$/.test(name);
  };
  return [...names].filter(isCall).sort();
}

function protoWith(object: object, name: string): object {
  let at = object;
  while (!Object.hasOwn(at, name)) at = Object.getPrototypeOf(at);
  return at;
}

Deno.test("no request of a kernel reaches an invariant of the mount's server", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const hostile = new Hostile(prng(seed + 13_000));
    const { bytes, handle } = device(hostile);
    const opened = ask(seed, "open", () => openVolumeSync(handle, optionsFor(hostile)));
    if (opened === undefined) continue;
    const volume = opened as Volume;
    const kernel = new FakeKernel(volume, {
      report(error) {
        throw new Error("the server did not expect it", { cause: error });
      },
    });
    kernel.init();
    for (const name of ["a", "b"]) ask(seed, "create", () => kernel.create(name));
    for (let call = 0; call < CALLS; call++) {
      const opcode = 1 + hostile.random.below(52);
      const body = fieldsOf(hostile);
      const node = hostile.random.pick([0, 1, 1, 2, 3, 33, 34, 2 ** 32 + 33]);
      ask(seed, `call ${call}, opcode ${opcode}`, () => kernel.send(opcode, { node, body }));
      if (volume.stats().state === "failed") {
        throw failed(seed, `call ${call}, opcode ${opcode}`, volume);
      }
    }
    ask(seed, "close", () => volume.close());
    assertEquals(checkVolume(bytes).violations, [], `seed ${seed}`);
  }
});

/** Fields of a request: numbers of both widths, names, bytes. */
function fieldsOf(hostile: Hostile): Field[] {
  const whole = (bits: number): bigint => {
    const value = hostile.number();
    return BigInt.asUintN(bits, BigInt(Number.isFinite(value) ? Math.trunc(value) : -1));
  };
  return Array.from({ length: hostile.random.below(18) }, () => {
    switch (hostile.random.below(4)) {
      case 0:
        return u32(Number(whole(32)));
      case 1:
        return u64(whole(64));
      case 2:
        return { text: hostile.name().slice(0, 5000) };
      default:
        return hostile.oneIn(3) ? new Uint8Array(hostile.random.below(5000)) : u32(0);
    }
  });
}
