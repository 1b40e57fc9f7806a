/**
 * What is measured of a file system in memory, and the goals against Emscripten's MEMFS.
 *
 * A workload gives a function that is timed and counts what it did; what it needs is made before.
 * The program at the end runs them all on one subject and prints µs per operation as JSON:
 * `deno run -A bench/memfs_workloads.ts cairn`.
 *
 * @module
 */
import process from "node:process";
import { type Subject, SUBJECTS } from "./memfs_subjects.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** One question. */
export interface Workload {
  /** What is done. */
  name: string;
  /** How many times faster than Emscripten's MEMFS it is to be; null: no goal. */
  goal: number | null;
  /** Not run on subjects for which it takes minutes. */
  skip?: readonly string[];
  /**
   * Prepares in the directory, and gives the work, which returns how often it did it. `share` of its
   * calls are to be made: less than 1 for a subject that takes minutes otherwise.
   */
  prepare(fs: Subject, dir: string, share: number): () => number;
}

function files(fs: Subject, dir: string, count: number, bytes: Uint8Array): void {
  for (let index = 0; index < count; index++) fs.create(`${dir}/f${index}`, bytes);
}

const content = new Uint8Array(KIB).fill(7);
const FILES = 2000;

/** Writes `total` bytes in pieces through one stream, appending or at a position. */
function writing(fs: Subject, stream: unknown, piece: Uint8Array, total: number): () => number {
  return () => {
    const count = Math.floor(total / piece.length);
    for (let index = 0; index < count; index++) fs.write(stream, piece, index * piece.length);
    return count;
  };
}

/** The workloads, in the order of the table. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: "create+write+close 1 KiB",
    goal: 1.5,
    prepare: (fs, dir) => () => {
      files(fs, dir, FILES, content);
      return FILES;
    },
  },
  {
    name: "stat",
    goal: 3,
    prepare(fs, dir) {
      files(fs, dir, FILES, content);
      const paths = Array.from({ length: FILES }, (_, index) => `${dir}/f${index}`);
      return () => {
        for (let pass = 0; pass < 10; pass++) for (const path of paths) fs.stat(path);
        return 10 * FILES;
      };
    },
  },
  {
    name: "stat, 10 levels",
    goal: 4,
    prepare(fs, dir) {
      let path = dir;
      for (let level = 0; level < 9; level++) fs.mkdir(path += `/level${level}`);
      fs.create(`${path}/f`, content);
      return () => {
        for (let count = 0; count < 20_000; count++) fs.stat(`${path}/f`);
        return 20_000;
      };
    },
  },
  {
    name: "open+read+close 1 KiB",
    goal: 2,
    prepare(fs, dir) {
      files(fs, dir, FILES, content);
      const into = new Uint8Array(KIB);
      return () => {
        for (let pass = 0; pass < 5; pass++) {
          for (let index = 0; index < FILES; index++) fs.load(`${dir}/f${index}`, into);
        }
        return 5 * FILES;
      };
    },
  },
  {
    name: "readdir of 1,000",
    goal: 5,
    prepare(fs, dir, share) {
      files(fs, dir, 1000, content);
      return () => {
        for (let count = 0; count < 500 * share; count++) fs.readdir(dir);
        return 500 * share;
      };
    },
  },
  {
    name: "rename",
    goal: 2,
    prepare(fs, dir, share) {
      files(fs, dir, FILES, content);
      return () => {
        for (let index = 0; index < FILES * share; index++) {
          fs.rename(`${dir}/f${index}`, `${dir}/g${index}`);
        }
        return FILES * share;
      };
    },
  },
  {
    name: "unlink",
    goal: null,
    prepare(fs, dir) {
      files(fs, dir, FILES, content);
      return () => {
        for (let index = 0; index < FILES; index++) fs.unlink(`${dir}/f${index}`);
        return FILES;
      };
    },
  },
  {
    name: "append 4 KiB, 40 MiB",
    goal: 5,
    prepare(fs, dir) {
      const stream = fs.openAppend(`${dir}/f`);
      const piece = new Uint8Array(4 * KIB).fill(1);
      return () => {
        const count = 40 * MIB / piece.length;
        for (let index = 0; index < count; index++) fs.write(stream, piece);
        fs.close(stream);
        fs.unlink(`${dir}/f`);
        return count;
      };
    },
  },
  {
    name: "sequential write 128 KiB, 100 MiB",
    goal: 5,
    prepare(fs, dir) {
      const stream = fs.open(`${dir}/f`);
      const write = writing(fs, stream, new Uint8Array(128 * KIB).fill(1), 100 * MIB);
      return () => {
        const count = write();
        fs.close(stream);
        fs.unlink(`${dir}/f`);
        return count;
      };
    },
  },
  {
    name: "sequential read 128 KiB, 100 MiB",
    goal: null,
    prepare(fs, dir) {
      const stream = fs.open(`${dir}/f`);
      const piece = new Uint8Array(128 * KIB).fill(1);
      writing(fs, stream, piece, 100 * MIB)();
      return () => {
        for (let index = 0; index < 800; index++) fs.read(stream, piece, index * piece.length);
        return 800;
      };
    },
  },
  {
    name: "write 64 B in place",
    goal: 1,
    prepare(fs, dir) {
      const stream = fs.open(`${dir}/f`);
      fs.write(stream, new Uint8Array(64 * KIB), 0);
      return writing(fs, stream, new Uint8Array(64).fill(1), 64 * KIB * 50).bind(null);
    },
  },
  {
    name: "read 64 B",
    goal: 0.8,
    prepare(fs, dir) {
      const stream = fs.open(`${dir}/f`);
      fs.write(stream, new Uint8Array(64 * KIB).fill(1), 0);
      const into = new Uint8Array(64);
      return () => {
        for (let index = 0; index < 100_000; index++) fs.read(stream, into, index * 64 & 0xffc0);
        return 100_000;
      };
    },
  },
  {
    name: "random write 4 KiB over 16 MiB",
    goal: null,
    prepare(fs, dir) {
      const stream = fs.open(`${dir}/f`);
      const piece = new Uint8Array(4 * KIB).fill(1);
      writing(fs, stream, new Uint8Array(MIB), 16 * MIB)();
      return () => {
        let at = 1;
        for (let index = 0; index < 20_000; index++) {
          at = at * 1103515245 + 12345 & 0x7fffffff;
          fs.write(stream, piece, at % (16 * MIB - 4 * KIB));
        }
        return 20_000;
      };
    },
  },
  {
    name: "growth to 1 GiB by 128 KiB",
    goal: 6,
    skip: ["zenfs"],
    prepare(fs, dir) {
      const stream = fs.open(`${dir}/f`);
      const write = writing(fs, stream, new Uint8Array(128 * KIB).fill(1), 1024 * MIB);
      return () => {
        const count = write();
        fs.close(stream);
        fs.unlink(`${dir}/f`);
        return count;
      };
    },
  },
  {
    name: "rename a directory of 10,000",
    goal: 0.5,
    // It takes half a minute to make the 10,000.
    skip: ["zenfs"],
    prepare(fs, dir) {
      fs.mkdir(`${dir}/d0`);
      files(fs, `${dir}/d0`, 10_000, content.subarray(0, 1));
      return () => {
        for (let count = 0; count < 100; count++) {
          fs.rename(`${dir}/d${count}`, `${dir}/d${count + 1}`);
        }
        return 100;
      };
    },
  },
];

/** FS.write of large pieces into bytes that are there, as a multiple of one `set()`. */
export function againstSet(fs: Subject, dir: string): Record<string, number> {
  const ratios: Record<string, number> = {};
  for (const size of [64 * KIB, 256 * KIB, MIB]) {
    const span = 8 * MIB;
    const [piece, flat] = [new Uint8Array(size).fill(1), new Uint8Array(span)];
    const stream = fs.open(`${dir}/set${size}`);
    for (let at = 0; at < span; at += size) fs.write(stream, piece, at);
    const best = { set: Infinity, write: Infinity };
    for (let round = 0; round < 15; round++) {
      best.set = Math.min(
        best.set,
        time(() => {
          for (let at = 0; at < 4 * span; at += size) flat.set(piece, at % span);
        }),
      );
      best.write = Math.min(
        best.write,
        time(() => {
          for (let at = 0; at < 4 * span; at += size) fs.write(stream, piece, at % span);
        }),
      );
    }
    fs.close(stream);
    ratios[`${size / KIB} KiB`] = best.write / best.set;
  }
  return ratios;
}

/**
 * How long it takes, in ms: by the clock or by the processor's account of this process, whichever is
 * less. On a busy machine the clock counts the work of others too.
 */
function time(work: () => void): number {
  const before = process.cpuUsage();
  const start = performance.now();
  work();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  return Math.min(wall, (user + system) / 1000);
}

/** Subjects for which six rounds of all calls take minutes, and the share of the calls they make. */
const SLOW_SHARES: Readonly<Record<string, number>> = { zenfs: 0.02 };

/** The best of some rounds, in µs per operation. */
function measure(workload: Workload, fs: Subject, name: string): number {
  let best = Infinity;
  const share = SLOW_SHARES[name] ?? 1;
  const rounds = workload.name.includes("GiB") || share < 1 ? 2 : 6;
  for (let round = 0; round < rounds; round++) {
    const dir = `/${name} ${workload.name.replaceAll(/[^a-z0-9]/gi, "-")}-${round}`;
    fs.mkdir(dir);
    const work = workload.prepare(fs, dir, share);
    let count = 0;
    const took = time(() => count = work());
    best = Math.min(best, took * 1000 / count);
  }
  return best;
}

if (import.meta.main) {
  const [name = "cairn", only = ""] = Deno.args;
  const make = SUBJECTS[name];
  if (make === undefined) throw new Error(`there is no subject "${name}"`);
  const fs = await make();
  const micros: Record<string, number> = {};
  for (const workload of WORKLOADS) {
    if (workload.skip?.includes(name) || !workload.name.includes(only)) continue;
    micros[workload.name] = measure(workload, fs, name);
  }
  fs.mkdir("/set");
  console.log(JSON.stringify({ micros, set: only === "" ? againstSet(fs, "/set") : {} }));
}
