/** Hidden slots, and S1: what goes home is what records say, byte for byte. */
import { assert, assertEquals } from "@std/assert";
import { isErrnoError } from "../../../../abi/errno.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { HIDDEN, HiddenSlots } from "../../../../opfs/volume/memory/hidden_slots.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import type { Volume } from "../../../../opfs/volume/volume.ts";
import { DIRECTORY, FILE } from "../../../support/on_volume.ts";
import { type Prng, prng } from "../../../support/prng.ts";
import { RecordedTables } from "../../../support/recorded_tables.ts";

const IS_LONG = Deno.env.get("CAIRN_LONG") === "1";

Deno.test("HiddenSlots.revert() brings back what was hidden, and what it keeps", () => {
  const hidden = new HiddenSlots(64);
  hidden.set(3, HIDDEN.ON_DISK, new Uint8Array(64).fill(9));
  hidden.keep();
  hidden.set(3, HIDDEN.NOT);
  hidden.set(4, HIDDEN.NEXT);
  hidden.revert();
  assertEquals([hidden.stateOf(3), hidden.stateOf(4)], [2, 0]);
  const shown = new Uint8Array(64);
  hidden.show(3, shown, 0);
  assertEquals(shown, new Uint8Array(64).fill(9));
  hidden.show(4, shown, 0);
  assertEquals(shown[8], 0, "nothing is kept of slot 4");
});

Deno.test("HiddenSlots.show() leaves a free slot its own generation, a continuation too", () => {
  const hidden = new HiddenSlots(64);
  hidden.set(3, HIDDEN.ON_DISK);
  for (const [type, generationAt] of [[1, 2], [6, 12], [7, 2]] as const) {
    const shown = new Uint8Array(64).fill(9);
    shown[0] = type;
    shown.set([0x34, 0x12], generationAt);
    hidden.show(3, shown, 0);
    const expected = new Uint8Array(64);
    expected.set([0x34, 0x12], 2);
    assertEquals(shown, expected, `type ${type}`);
  }
});

/** What a history works on. */
interface History {
  volume: Volume;
  random: Prng;
  held: number[];
  directories: number[];
  now: number;
}

const nameOf = (random: Prng): string => `${random.below(40)}`.padEnd(1 + random.below(240), "x");

/** A file in pieces: continuation slots come with it. */
function scatter(volume: Volume, ino: number, pieces: number): void {
  for (let piece = 0; piece < pieces; piece++) {
    volume.write(ino, new Uint8Array(10).fill(piece), piece * 8192);
  }
}

const STEPS: readonly ((history: History) => void)[] = [
  ({ volume, random, directories }) => {
    volume.create(random.pick(directories), nameOf(random), FILE);
  },
  ({ volume, random, directories }) => {
    directories.push(volume.create(random.pick(directories), nameOf(random), DIRECTORY));
  },
  ({ volume, random, directories }) => {
    const target = "t".repeat(1 + random.below(300));
    const options = { mode: 0o120777, uid: 0, gid: 0, target };
    volume.readlink(volume.create(random.pick(directories), nameOf(random), options));
  },
  ({ volume, random, held }) => {
    const ino = volume.tmpfile(volume.root, { mode: 0o600, uid: 0, gid: 0 });
    held.push(ino);
    scatter(volume, ino, random.below(30));
    volume.setxattr(ino, "user.hidden", new Uint8Array(random.below(500)), 0);
  },
  ({ volume, random, held }) => {
    if (held.length > 0) volume.link(random.pick(held), volume.root, nameOf(random));
  },
  ({ volume, random, held }) => {
    const [ino] = held.splice(random.below(Math.max(1, held.length)), 1);
    if (ino !== undefined) volume.release(ino);
  },
  ({ volume, random, held }) => {
    if (held.length === 0) return;
    const ino = random.pick(held);
    scatter(volume, ino, random.pick([5, 700]));
    volume.setattr(ino, { size: random.below(700 * 8192) });
    volume.removexattr(ino, "user.1");
  },
  (history) => {
    history.now += 2 * 24 * 60 * 60 * 1000;
    const { volume, random, directories } = history;
    volume.readdir(random.pick(directories), 0);
    for (const { ino } of entriesOf(history)) volume.read(ino, new Uint8Array(10), 0);
  },
];

function entriesOf({ volume, random, directories }: History): { ino: number; name: string }[] {
  const directory = random.pick(directories);
  return volume.readdir(directory, 0).filter(({ mode }) => (mode & 0o170000) === 0o100000);
}

const FILE_STEPS: readonly ((history: History, ino: number, name: string) => void)[] = [
  ({ volume, random }, ino) => scatter(volume, ino, random.pick([5, 60, 600])),
  ({ volume, random }, ino) => volume.append(ino, new Uint8Array(random.below(30_000))),
  ({ volume, random }, ino) => volume.setattr(ino, { size: random.below(100_000) }),
  ({ volume, random }, ino) => {
    const value = new Uint8Array(random.pick([10, 100, 300, 9000, 60_000]));
    volume.setxattr(ino, `user.${random.below(5)}`, value, 0);
  },
  ({ volume, random }, ino) => void volume.removexattr(ino, `user.${random.below(5)}`),
  ({ volume, held }, ino) => {
    volume.retain(ino);
    held.push(ino);
  },
  ({ volume, random }, ino) => volume.link(ino, volume.root, nameOf(random)),
];

/** One call, whatever comes of it. */
function step(history: History): void {
  const { random, volume } = history;
  try {
    if (random.below(2) === 0) return random.pick(STEPS)(history);
    const files = entriesOf(history);
    if (files.length === 0) return;
    const { ino, name } = random.pick(files);
    if (random.below(4) > 0) return random.pick(FILE_STEPS)(history, ino, name);
    for (const directory of history.directories) {
      if (volume.lookup(directory, name) !== 0) volume.unlink(directory, name);
    }
  } catch (error) {
    if (!isErrnoError(error)) throw error;
  }
}

function run(seed: number, steps: number): RecordedTables {
  const random = prng(seed);
  const handle = new RecordedTables(memoryHandle());
  const history = {
    random,
    held: [],
    directories: [],
    now: 1_700_000_000_000,
  } as unknown as History;
  const options = {
    ringBytes: 128 * 1024,
    clock: () => history.now++,
    random: random.fill,
    maxBytes: random.pick([1.2, 2, 9, 200]) * 1024 * 1024,
    blockSize: random.pick([512, 4096]),
    poolBytes: 1 << 20,
  };
  history.volume = openVolumeSync(handle, options);
  for (let done = 0; done < steps; done++) {
    history.directories = [history.volume.root, ...history.directories.slice(0, 4)];
    step(history);
    if (random.below(8) === 0) attempt(() => history.volume.sync());
    if (random.below(150) === 0) attempt(() => [...history.volume.compact()]);
    if (random.below(300) === 0) {
      history.volume.close();
      history.held = [];
      history.directories = [];
      history.volume = openVolumeSync(handle, options);
    }
  }
  assertEquals(history.volume.stats().state === "failed", false, `seed ${seed}`);
  history.volume.close();
  return handle;
}

function attempt(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!isErrnoError(error)) throw error;
  }
}

Deno.test("S1: after each checkpoint the tables at home are what the records say", () => {
  let compared = 0;
  let records = 0;
  for (let seed = 1; seed <= (IS_LONG ? 200 : 12); seed++) {
    const handle = run(seed, 1000);
    assertEquals(handle.problems, [], `seed ${seed}`);
    compared += handle.compared;
    records += handle.records;
  }
  assert(compared > 100 && records > 1000, `${compared} checkpoints, ${records} records`);
});
