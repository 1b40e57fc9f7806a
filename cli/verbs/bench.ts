/**
 * `cairn bench`: how fast a volume is on this machine, beside a plain file in the same run.
 *
 * Layer: cli. Numbers of two machines, or of two hours, say little; the ratio of two files that took
 * turns on one disk says what the volume costs. Rounds alternate, and the median counts.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileHandle, openVolumeSync, type Progress, type Volume } from "../../opfs/mod.ts";
import { type Load, LOADS, rawSubject, volumeSubject } from "./bench_loads.ts";
import { withVolume, withVolumeAtLength } from "../shared/image.ts";
import { interruptible, type Interrupts, takeSteps } from "../shared/steps.ts";
import {
  at,
  atLength,
  type Call,
  EXIT_GOOD,
  numberOption,
  UsageError,
  type Verb,
} from "../shared/verb.ts";
import { jsonText, sizeText } from "../shared/words.ts";

/** The verb. */
export const benchVerb: Verb = {
  name: "bench",
  usage: "bench [--size N] [--rounds N] [--json] (IMAGE | --dir DIR)",
  summary: "Measures a volume beside a plain file, as ratios",
  help: `IMAGE is measured as it is, by a file without a name, which is gone afterwards; DIR gets
a fresh volume. The plain file is beside it. Both take turns. A ratio of 1 is as fast as
the plain file, 0.5 half as fast; what was read was written just before, so reading is
from the memory of the host.

  --size N    bytes of the file (default 64M)
  --rounds N  turns of each (default 3); the median counts
  --dir DIR   a fresh volume in DIR
  --json      print one JSON object

Examples:
  cairn bench notes.cairn
  cairn bench --size 16M --dir /mnt/usb
`,
  options: {
    size: { type: "string" },
    rounds: { type: "string" },
    dir: { type: "string" },
    json: { type: "boolean" },
  },
  words: [0, 1],
  run: (call) => interruptible((interrupts) => run(call, interrupts)),
};

const SIZE_DEFAULT = 64 * 1024 ** 2;
const SIZE_MIN = 1024 ** 2;
const ROUNDS_DEFAULT = 3;
/** The same places in every run. */
const SEED = 1;

/** What came of one load. */
interface Result {
  name: string;
  isBytes: boolean;
  /** Bytes or calls a second. */
  raw: number;
  volume: number;
  /** How fast the volume is, the plain file being 1. */
  ratio: number;
}

async function run(call: Call, interrupts: Interrupts): Promise<number> {
  const { options, terminal } = call;
  const sizeBytes = numberOption(call, "size") ?? SIZE_DEFAULT;
  const rounds = numberOption(call, "rounds") ?? ROUNDS_DEFAULT;
  if (sizeBytes < SIZE_MIN) throw new UsageError(`--size is at least ${SIZE_MIN}`);
  if (rounds < 1) throw new UsageError("--rounds is at least 1");
  const measureIn = async (volume: Volume, rawPath: string): Promise<Result[]> => {
    const steps = measure(volume, { rawPath, sizeBytes, rounds });
    const stateLeft = "the files of the measurement are gone";
    return await takeSteps(steps, { terminal, label: "measuring", interrupts, stateLeft });
  };
  const results = await withSubject(call, measureIn);
  if (options.json === true) {
    terminal.print(`${jsonText({ sizeBytes, rounds, results })}\n`);
    return EXIT_GOOD;
  }
  terminal.print(rowOf(["", "plain file", "volume", "ratio"]));
  for (const { name, isBytes, raw, volume, ratio } of results) {
    const speed = (value: number): string =>
      isBytes ? `${sizeText(Math.round(value))}/s` : `${Math.round(value)}/s`;
    terminal.print(rowOf([name, speed(raw), speed(volume), ratio.toFixed(2)]));
  }
  return EXIT_GOOD;
}

/** Opens what is measured, and takes away what was made for it. */
async function withSubject(
  { words, options }: Call,
  work: (volume: Volume, rawPath: string) => Promise<Result[]>,
): Promise<Result[]> {
  const [image] = words;
  if ((image === undefined) === (options.dir === undefined)) {
    throw new UsageError("name an image, or a folder by --dir");
  }
  if (image !== undefined) {
    const rawPath = join(dirname(resolve(image)), `.cairn-bench-${process.pid}`);
    const measured = (volume: Volume): Promise<Result[]> =>
      atLength(image, () => work(volume, rawPath));
    const results = await withVolumeAtLength(image, measured, { readOnly: false });
    trim(image);
    return results;
  }
  const dir = String(options.dir);
  const folder = at(dir, () => mkdtempSync(join(dir, ".cairn-bench-")));
  try {
    const volume = at(dir, () => openVolumeSync(fileHandle(join(folder, "volume"))));
    try {
      return await atLength(dir, () => work(volume, join(folder, "raw")));
    } finally {
      volume.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What has just come free is cut off by the first change after that. */
function trim(image: string): void {
  withVolume(image, (volume) => {
    volume.release(volume.tmpfile(volume.root, { mode: 0o600, uid: 0, gid: 0 }));
  }, { readOnly: false });
}

interface Measure {
  rawPath: string;
  sizeBytes: number;
  rounds: number;
}

function* measure(
  volume: Volume,
  { rawPath, sizeBytes, rounds }: Measure,
): Generator<Progress, Result[], void> {
  const times = LOADS.map(() => ({ raw: [] as number[], volume: [] as number[] }));
  const perRound = 2 *
    LOADS.reduce((sum, load) => sum + load.count(sizeBytes) * load.pieceBytes, 0);
  let doneBytes = 0;
  // The first round warms up both sides, and does not count.
  for (let round = 0; round <= rounds; round++) {
    // The second one may find the disk busy with the first: so they change.
    const sides = round % 2 === 0 ? ["raw", "volume"] as const : ["volume", "raw"] as const;
    for (const side of sides) {
      const subject = side === "raw" ? rawSubject(rawPath) : volumeSubject(volume);
      try {
        for (const [index, load] of LOADS.entries()) {
          const options = { sizeBytes, random: randomFrom(SEED) };
          const startMs = performance.now();
          let pausedMs = 0;
          for (const bytes of load.run(subject, options)) {
            const pauseMs = performance.now();
            yield { doneBytes: doneBytes + bytes, totalBytes: (rounds + 1) * perRound };
            pausedMs += performance.now() - pauseMs;
          }
          const timeMs = performance.now() - startMs - pausedMs;
          if (round > 0) times[index]![side].push(timeMs);
          doneBytes += load.count(sizeBytes) * load.pieceBytes;
        }
      } finally {
        subject.close();
      }
    }
  }
  return LOADS.map((load, index) => resultOf(load, times[index]!, sizeBytes));
}

function resultOf(
  load: Load,
  times: { raw: number[]; volume: number[] },
  sizeBytes: number,
): Result {
  const { name, isBytes, pieceBytes } = load;
  const amount = load.count(sizeBytes) * (isBytes ? pieceBytes : 1);
  const [rawMs, volumeMs] = [medianOf(times.raw), medianOf(times.volume)];
  const perSecond = (timeMs: number): number => amount / (timeMs / 1000);
  const speeds = { raw: perSecond(rawMs), volume: perSecond(volumeMs) };
  return { name, isBytes, ...speeds, ratio: rawMs / volumeMs };
}

/** A clock may stand still for a short load; nothing takes no time. */
function medianOf(timesMs: readonly number[]): number {
  const sorted = [...timesMs].sort((one, other) => one - other);
  return Math.max(sorted[Math.floor(sorted.length / 2)]!, 0.001);
}

/** Numbers from 0 to 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state * 2 ** -32;
  };
}

function rowOf(cells: readonly string[]): string {
  const padded = cells.map((cell, index) => index === 0 ? cell.padEnd(30) : cell.padStart(14));
  return `${padded.join("").trimEnd()}\n`;
}
