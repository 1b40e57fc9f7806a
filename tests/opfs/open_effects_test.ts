/**
 * Every option of openVolume() changes something, and the same whichever way the volume is reached.
 * The tables are exhaustive by their types: a new option does not compile until it has a row here.
 */
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import { fileHandle } from "../../opfs/device/file.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { type OpenedVolume, type OpenOptions, openVolume } from "../../opfs/compose/open.ts";
import { countOpened } from "../../opfs/compose/open_relays.ts";
import { type EngineSettings, openVolumeSync } from "../../opfs/volume/load/mount.ts";

const MIB = 1 << 20;
const FILE = { mode: 0o100644, uid: 0, gid: 0 };

/** Opens a volume in one of the ways; `path` does not exist, or was made by the row. */
type Open = (options?: OpenOptions) => Promise<OpenedVolume>;
type Way = (path: string, options: OpenOptions) => Promise<OpenedVolume>;

const relayed: Way = (name, options) => openVolume({ ...options, name, access: "relay" });

/** Runs while a global, or a member of one, is something else. */
async function without<T>(of: object, key: string, value: unknown, run: () => Promise<T>) {
  const before = Reflect.get(of, key);
  Object.defineProperty(of, key, { value, configurable: true, writable: true });
  try {
    return await run();
  } finally {
    Object.defineProperty(of, key, { value: before, configurable: true, writable: true });
  }
}

/** Closes both when the second is closed. */
async function closingBoth(first: OpenedVolume, open: () => Promise<OpenedVolume>) {
  try {
    const second = await open();
    const close = second.close;
    const both = async () => {
      await close();
      await first.close();
    };
    return Object.defineProperty(second, "close", { value: both, configurable: true });
  } catch (error) {
    await first.close();
    throw error;
  }
}

const WAYS: Record<string, Way> = {
  "a relay": relayed,
  "a relay of a page that spins": (path, options) => {
    const refuse = () => {
      throw new TypeError("not on a main thread");
    };
    return without(Atomics, "wait", refuse, () => relayed(path, { ...options, blocking: "spin" }));
  },
  "messages": (path, options) =>
    without(globalThis, "SharedArrayBuffer", undefined, () => relayed(path, options)),
  "a second open": async (path, options) => {
    return closingBoth(await relayed(path, options), () => relayed(path, options));
  },
  "a ticket": async (path, options) => {
    const first = await relayed(path, options);
    return closingBoth(first, () => openVolume({ ...options, ticket: first.share() }));
  },
};

const direct: Way = (name, options) => openVolume({ ...options, name, access: "direct" });

/** What a call comes to: its value, or an error's code. */
async function outcome(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    return isErrnoError(error) ? error.code : String(error);
  }
}

async function using<T>(open: Open, see: (volume: OpenedVolume) => Promise<T>): Promise<T> {
  const volume = await open();
  try {
    return await see(volume);
  } finally {
    await volume.close();
  }
}

/** How many MiB of 6 can be written. */
async function room({ promises, root }: OpenedVolume): Promise<number> {
  const ino = await promises.create(root, "big", FILE);
  let total = 0;
  const write = async () => {
    for (; total < 6 * MIB; total += MIB) {
      if (await promises.write(ino, new Uint8Array(MIB), total) < MIB) break;
    }
  };
  await outcome(write);
  return total / MIB;
}

/** 2 MiB in pieces that the pool has to keep: it takes no whole blocks of a long write. */
async function writeInPieces({ promises, root }: OpenedVolume): Promise<void> {
  const ino = await promises.create(root, "pieces", FILE);
  const piece = new Uint8Array(2048);
  for (let at = 0; at < 2 * MIB; at += piece.length) await promises.write(ino, piece, at);
}

async function commitsAfter({ promises, root, metrics }: OpenedVolume, waitMs: number) {
  for (let left = 5; left > 0; left--) await promises.create(root, `f${left}`, FILE);
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  return Number((await metrics()).engine.commits);
}

interface Row {
  given: Partial<EngineSettings>;
  see: (open: Open, path: string) => Promise<unknown>;
}

const ENGINE: Record<keyof EngineSettings, Row> = {
  create: {
    given: { create: false },
    see: (open) => outcome(() => using(open, () => Promise.resolve("opened"))),
  },
  readOnly: {
    given: { readOnly: true },
    see: (open, path) => {
      openVolumeSync(fileHandle(path)).close();
      return using(
        open,
        ({ promises, root }) => outcome(async () => typeof await promises.create(root, "a", FILE)),
      );
    },
  },
  blockSize: {
    given: { blockSize: 512 },
    see: (open) => using(open, async ({ promises }) => (await promises.statfs()).blockSize),
  },
  ringBytes: {
    given: { ringBytes: 4 * MIB },
    see: async (open, path) => {
      await using(open, () => Promise.resolve());
      return Deno.statSync(path).size > 4 * MIB;
    },
  },
  label: {
    given: { label: "a word of my own" },
    see: async (open, path) => {
      await using(open, () => Promise.resolve());
      const start = Deno.readFileSync(path).subarray(0, 16_384);
      return new TextDecoder().decode(start).includes("a word of my own");
    },
  },
  slots: {
    given: { slots: 4096 },
    see: (open) => using(open, async ({ stats }) => (await stats()).slots),
  },
  limitBytes: { given: { limitBytes: 4 * MIB }, see: (open) => using(open, room) },
  maxBytes: { given: { maxBytes: 4 * MIB }, see: (open) => using(open, room) },
  quotaBytes: {
    given: { quotaBytes: 8 * MIB },
    see: (open) =>
      using(open, async ({ promises }) => (await promises.statfs()).freeBlocks * 4096 < 8 * MIB),
  },
  poolBytes: {
    given: { poolBytes: MIB },
    see: (open) =>
      using(open, async (volume) => {
        await writeInPieces(volume);
        return Number((await volume.stats()).poolBlocks) <= MIB / 4096;
      }),
  },
  durability: {
    given: { durability: "op" },
    see: (open) => using(open, async (volume) => await commitsAfter(volume, 0) >= 5),
  },
  commitIntervalMs: {
    given: { commitIntervalMs: 20 },
    see: (open) => using(open, async (volume) => await commitsAfter(volume, 200) > 0),
  },
};

for (const [option, { given, see }] of Object.entries(ENGINE)) {
  Deno.test(`openVolume()'s option ${option} means the same directly and in every other way`, async () => {
    const directory = Deno.makeTempDirSync();
    let count = 0;
    const seen = (way: Way, options: OpenOptions) => {
      const path = `${directory}/${count++}.cairn`;
      return see((more) => way(path, { ...options, ...more }), path);
    };
    try {
      const right = await seen(direct, given);
      assertNotEquals(right, await seen(direct, {}), "the option does nothing");
      for (const [name, way] of Object.entries(WAYS)) {
        assertEquals(await seen(way, given), right, name);
      }
      assertEquals(countOpened(), { relays: 0, direct: 0 });
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });
}

/** Each with what contradicts it; null: only a new volume has it, and a second opener finds one. */
const SECOND: Record<keyof EngineSettings, { first: unknown; second: unknown } | null> = {
  create: null,
  blockSize: null,
  ringBytes: null,
  label: null,
  slots: null,
  limitBytes: null,
  readOnly: { first: undefined, second: true },
  poolBytes: { first: 4 * MIB, second: 8 * MIB },
  maxBytes: { first: undefined, second: 8 * MIB },
  quotaBytes: { first: 8 * MIB, second: 9 * MIB },
  durability: { first: undefined, second: "op" },
  commitIntervalMs: { first: undefined, second: 50 },
};

/** What the engine takes if nothing is said: to say it changes nothing. */
const DEFAULTS = { readOnly: false, poolBytes: 32 * MIB, durability: "periodic" } as const;

Deno.test("a second open and a ticket are refused what the first has not, by name", async () => {
  const directory = Deno.makeTempDirSync();
  for (const [option, values] of Object.entries({ ...SECOND, sanityCheck: { second: true } })) {
    if (values === null) continue;
    const path = `${directory}/${option}.cairn`;
    const first = await relayed(path, { [option]: (values as { first?: unknown }).first });
    const wanted = { [option]: values.second } as OpenOptions;
    const ticket = first.share();
    for (const open of [() => relayed(path, wanted), () => openVolume({ ...wanted, ticket })]) {
      const error = await assertRejects(open) as Error;
      assert(error.message.startsWith("EBUSY: cannot open"), error.message);
      assert(error.message.includes(`with ${option} ${JSON.stringify(values.second)}`));
    }
    // The refusal has cost nothing: the ticket is still good, and so is a second open.
    await (await openVolume({ ...DEFAULTS, ...wanted, ticket, [option]: undefined })).close()
      .catch((error) => assert(String(error).includes("EBUSY"), String(error)));
    await (await relayed(path, {})).close();
    await first.close();
    assertEquals(countOpened(), { relays: 0, direct: 0 });
  }
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("a second open may say what is so anyway, and what only a new volume has", async () => {
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/a.cairn`;
  const first = await relayed(path, {});
  const second = await relayed(path, { ...DEFAULTS, commitIntervalMs: 5000, create: false });
  await (await relayed(path, { blockSize: 512, label: "b", slots: 64, ringBytes: MIB })).close();
  await second.close();
  await first.close();
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("a ticket is refused what was settled where it was made", async () => {
  const directory = Deno.makeTempDirSync();
  const first = await relayed(`${directory}/a.cairn`, { areaBytes: 65_531 });
  const ticket = first.share();
  await assertRejects(() => openVolume({ ticket, access: "direct" }), Error, "EINVAL");
  await assertRejects(() => openVolume({ ticket, areaBytes: 16_384 }), Error, "made with 65536");
  for (const key of ["clock", "random"]) {
    await assertRejects(() => openVolume({ ticket, [key]: () => 0 }), Error, `option "${key}"`);
    const again = () => relayed(`${directory}/a.cairn`, { [key]: () => 0 });
    await assertRejects(again, Error, `option "${key}"`);
  }
  const bad = { kind: "cairn ticket", name: "a" } as never;
  await assertRejects(() => openVolume(bad), Error, "EINVAL");
  await (await openVolume({ ticket, areaBytes: 65_531 })).close();
  await first.close();
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("a clock and a source of randomness are the engine's where it runs here", async () => {
  const handle = memoryHandle();
  let asked = 0;
  const random = (bytes: Uint8Array) => void (asked += bytes.fill(7).length);
  await using volume = await openVolume({ handle, clock: () => 12_345_000, random });
  const ino = volume.create(volume.root, "a", FILE);
  assert(asked > 0);
  assertEquals(volume.getattr(ino).mtime, 12_345_000);
});

Deno.test("there is one way to close: promises.close() and close(), in both orders, often", async () => {
  const directory = Deno.makeTempDirSync();
  let count = 0;
  for (const [name, way] of Object.entries({ direct, ...WAYS })) {
    for (const isPromiseFirst of [true, false]) {
      const path = `${directory}/${count++}.cairn`;
      const volume = await way(path, {});
      await volume.promises.create(volume.root, "a", FILE);
      const closes = [() => volume.promises.close(), () => volume.close()];
      if (!isPromiseFirst) closes.reverse();
      for (const close of [...closes, ...closes]) await close();
      if (name === "direct" || name === "a relay") await (await direct(path, {})).close();
    }
  }
  Deno.removeSync(directory, { recursive: true });
});
