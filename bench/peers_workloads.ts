/**
 * What is measured of stores in a worker of a browser: each workload prepares, is timed with a sync
 * at its end, and looks whether the store then holds what it should.
 *
 * Workloads follow each other on one store and use what the ones before have left. Where calls would
 * take minutes they end after a time; what they cost is then that of the first ones.
 *
 * @module
 */
import { DURABLE_WORKLOADS } from "./peers_durable.ts";
import {
  CHANGED,
  CONTENT,
  expect,
  expectBytes,
  get,
  isSame,
  KIB,
  makeRandomFile,
  MIB,
  PAGE,
  PIECE,
  put,
  randomFile,
  sequence,
  SMALL,
  timed,
  type Workload,
} from "./peers_measure.ts";
import type { Peer } from "./peers_subjects.ts";

/** Files of the volume that is mounted. */
export const MOUNTED_FILES = 50_000;
const FILES = 2000;
const LISTED = 1000;
const WARM_CALLS = 200;
const WARM_MS = 2000;
const TREE_FILES = 10_000;
const DEEP = "/1/2/3/4/5/6/7/8/9";

/** Grows a file from its beginning by pieces, up to a length; leaves the stream's position there. */
function grow(peer: Peer, path: string, piece: Uint8Array, bytes: number): number {
  const stream = peer.open(path, "w+");
  const { micros, calls } = timed(
    bytes / piece.length,
    () => void peer.write(stream, piece),
    () => peer.sync(),
  );
  peer.close(stream);
  expect(peer.stat(path) === calls * piece.length, `size of ${path}`);
  expectBytes(peer, path, piece, (calls - 1) * piece.length);
  expectBytes(peer, path, piece, 0);
  return micros;
}

/**
 * All small calls, again and again, so that no subject is measured before its code has been compiled:
 * the same time for each, because on a busy machine the compiler comes late.
 */
export function warmUp(peer: Peer): void {
  peer.mkdir("/warm");
  for (const began = performance.now(); performance.now() - began < WARM_MS;) warmOnce(peer);
  peer.sync();
}

function warmOnce(peer: Peer): void {
  const into = new Uint8Array(KIB);
  for (let index = 0; index < WARM_CALLS; index++) {
    put(peer, `/warm/f${index}`, CONTENT);
    peer.stat(`/warm/f${index}`);
    get(peer, `/warm/f${index}`, into);
    overwrite(peer, `/warm/f${index}`);
    peer.rename(`/warm/f${index}`, `/warm/g${index}`);
  }
  peer.readdir("/warm");
  for (let index = 0; index < WARM_CALLS; index++) peer.unlink(`/warm/g${index}`);
  const stream = peer.open("/warm/f", "w+");
  for (let index = 0; index < 10 * WARM_CALLS; index++) peer.write(stream, SMALL, index * 64);
  for (let index = 0; index < 10 * WARM_CALLS; index++) peer.read(stream, into, index * 64);
  peer.close(stream);
}

function overwrite(peer: Peer, path: string): void {
  const stream = peer.open(path, "r+");
  peer.write(stream, CHANGED, 0);
  peer.close(stream);
}

/** The workloads, in the order of the table. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: "create+write+close 1 KiB",
    goal: 12,
    guards: [{ what: "× bc", value: (of) => of("cairn") / of("bc"), atMost: 2.5 }],
    run(peer) {
      peer.mkdir("/d");
      const create = (index: number) => put(peer, `/d/f${index}`, CONTENT);
      const { micros } = timed(FILES, create, () => peer.sync(), Infinity);
      expect(peer.stat(`/d/f${FILES - 1}`) === KIB, "size of a new file");
      expectBytes(peer, "/d/f7", CONTENT);
      return micros;
    },
  },
  {
    name: "stat",
    goal: 20,
    guards: [{ what: "µs", value: (of) => of("cairn"), atMost: 1.2 }],
    run(peer) {
      const paths = Array.from({ length: FILES }, (_, index) => `/d/f${index}`);
      let sum = 0;
      const { micros, calls } = timed(
        5 * FILES,
        (index) => sum += peer.stat(paths[index % FILES]!),
      );
      expect(sum === calls * KIB, "size of a file");
      return micros;
    },
  },
  {
    name: "stat, 10 levels",
    goal: 20,
    guards: [{ what: "µs", value: (of) => of("cairn"), atMost: 1.2 }],
    run(peer) {
      for (let end = 2; end <= DEEP.length; end += 2) peer.mkdir(DEEP.slice(0, end));
      put(peer, `${DEEP}/f`, CONTENT);
      let sum = 0;
      const { micros, calls } = timed(20 * FILES, () => sum += peer.stat(`${DEEP}/f`));
      expect(sum === calls * KIB, "size of a file, 10 levels down");
      return micros;
    },
  },
  {
    name: "open+read+close 1 KiB",
    goal: 12,
    run(peer) {
      const into = new Uint8Array(KIB);
      let sum = 0;
      const { micros, calls } = timed(10 * FILES, (index) => {
        sum += get(peer, `/d/f${index % FILES}`, into);
      });
      expect(sum === calls * KIB && isSame(into, CONTENT), "what a file holds");
      return micros;
    },
  },
  {
    name: "readdir of 1,000",
    goal: 50,
    run(peer) {
      peer.mkdir("/r");
      for (let index = 0; index < LISTED; index++) put(peer, `/r/f${index}`, CONTENT);
      let sum = 0;
      const { micros, calls } = timed(1000, () => sum += peer.readdir("/r"));
      expect(sum === calls * LISTED, "number of names");
      return micros;
    },
  },
  {
    name: "overwrite 1 KiB",
    goal: 20,
    run(peer) {
      const change = (index: number) => overwrite(peer, `/d/f${index}`);
      const { micros } = timed(FILES, change, () => peer.sync(), Infinity);
      expectBytes(peer, "/d/f9", CHANGED);
      expect(peer.stat("/d/f9") === KIB, "size of a changed file");
      return micros;
    },
  },
  {
    name: "rename",
    goal: 20,
    run(peer) {
      const rename = (index: number) => peer.rename(`/d/f${index}`, `/d/g${index}`);
      const { micros } = timed(FILES, rename, () => peer.sync(), Infinity);
      expectBytes(peer, "/d/g9", CHANGED);
      expect(peer.readdir("/d") === FILES, "number of names after renaming");
      return micros;
    },
  },
  {
    name: "unlink",
    goal: 20,
    run(peer) {
      const unlink = (index: number) => peer.unlink(`/d/g${index}`);
      const { micros, calls } = timed(FILES, unlink, () => peer.sync(), Infinity);
      expect(peer.readdir("/d") === FILES - calls, "number of names after removing");
      return micros;
    },
  },
  {
    name: "append 4 KiB, 40 MiB",
    goal: 150,
    run(peer) {
      const micros = grow(peer, "/grown", PAGE, 40 * MIB);
      peer.unlink("/grown");
      return micros;
    },
  },
  {
    name: "two files in turns, 4 KiB",
    goal: 80,
    guards: [{
      what: "× append of one",
      value: (of) => of("cairn") / of("cairn", "append 4 KiB, 40 MiB"),
      atMost: 4,
    }],
    run(peer) {
      const streams = ["/one", "/two"].map((path) => peer.open(path, "w+"));
      const { micros, calls } = timed(
        10_240,
        (index) => void peer.write(streams[index & 1], PAGE),
        () => peer.sync(),
      );
      for (const stream of streams) peer.close(stream);
      const size = calls / 2 * PAGE.length;
      for (const path of ["/one", "/two"]) {
        expect(peer.stat(path) === size, `size of ${path}`);
        expectBytes(peer, path, PAGE, size - PAGE.length);
        peer.unlink(path);
      }
      return micros;
    },
  },
  {
    name: "random 4 KiB write, in 16 MiB",
    goal: 8,
    run(peer) {
      makeRandomFile(peer);
      const stream = randomFile(peer);
      const write = (index: number) => void peer.write(stream, PAGE, sequence(index));
      const { micros } = timed(5000, write, () => peer.sync());
      peer.close(stream);
      expectBytes(peer, "/random", PAGE, sequence(17));
      return micros;
    },
  },
  {
    name: "random 4 KiB read, in 16 MiB",
    goal: 10,
    run(peer) {
      const stream = randomFile(peer);
      const into = new Uint8Array(PAGE.length);
      let sum = 0;
      const { micros, calls } = timed(5000, (index) => {
        sum += peer.read(stream, into, sequence(index));
      });
      peer.close(stream);
      expect(sum === calls * PAGE.length, "bytes read here and there");
      return micros;
    },
  },
  {
    name: "64 B write",
    goal: 80,
    guards: [{ what: "µs", value: (of) => of("cairn"), atMost: 0.8 }],
    run(peer) {
      const stream = randomFile(peer);
      const write = (index: number) => void peer.write(stream, SMALL, index * 64);
      const { micros } = timed(50_000, write, () => peer.sync());
      peer.close(stream);
      expectBytes(peer, "/random", SMALL, 640);
      return micros;
    },
  },
  {
    name: "64 B read",
    goal: 40,
    guards: [{ what: "µs", value: (of) => of("cairn"), atMost: 0.8 }],
    run(peer) {
      const stream = randomFile(peer);
      const into = new Uint8Array(64);
      let sum = 0;
      const { micros, calls } = timed(50_000, (index) => {
        sum += peer.read(stream, into, index * 64);
      });
      peer.close(stream);
      expect(sum === calls * 64, "bytes read in small pieces");
      return micros;
    },
  },
  {
    name: "sequential 128 KiB write, 100 MiB",
    goal: 40,
    guards: [{ what: "share of wt", value: (of) => of("wt") / of("cairn"), atLeast: 0.75 }],
    run: (peer) => grow(peer, "/large", PIECE, 100 * MIB),
  },
  {
    name: "sequential 128 KiB read",
    goal: 25,
    guards: [{ what: "share of wt", value: (of) => of("wt") / of("cairn"), atLeast: 0.7 }],
    run(peer) {
      const stream = peer.open("/large", "r");
      const pieces = peer.stat("/large") / PIECE.length;
      const into = new Uint8Array(PIECE.length);
      let sum = 0;
      const { micros, calls } = timed(2 * pieces, (index) => {
        sum += peer.read(stream, into, index % pieces * PIECE.length);
      });
      peer.close(stream);
      expect(sum === calls * PIECE.length && isSame(into, PIECE), "what a large file holds");
      peer.unlink("/large");
      return micros;
    },
  },
  {
    name: "rename a directory of 10,000",
    goal: 200,
    guards: [{ what: "ms", value: (of) => of("cairn") / 1000, atMost: 1 }],
    skip: ["wt", "bc"],
    run(peer) {
      peer.mkdir("/t0");
      for (let index = 0; index < TREE_FILES; index++) put(peer, `/t0/f${index}`, SMALL);
      peer.sync();
      const { micros } = timed(5, (index) => {
        peer.rename(`/t${index}`, `/t${index + 1}`);
        peer.sync();
      });
      expectBytes(peer, "/t5/f77", SMALL);
      expect(peer.readdir("/t5") === TREE_FILES, "number of names below");
      return micros;
    },
  },
  ...DURABLE_WORKLOADS,
];
