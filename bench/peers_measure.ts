/**
 * What the workloads of `peers_workloads.ts` and `peers_durable.ts` are made of: timing, contents, and
 * looking whether a store holds what it should.
 *
 * @module
 */
import type { Peer } from "./peers_subjects.ts";

/** Bytes of a kibibyte. */
export const KIB = 1024;
/** Bytes of a mebibyte. */
export const MIB: number = 1024 * KIB;
const LIMIT_MS = 1500;
const RANDOM_BYTES = 16 * MIB;

/** One question. */
export interface Workload {
  /** What is done. */
  name: string;
  /** How many times faster than `@componentor/fs` it is to be; null: no goal. */
  goal: number | null;
  /** Another bound: what of, at most or at least how much. */
  guards?: readonly Guard[];
  /** Subjects that cannot do it, or take minutes. */
  skip?: readonly string[];
  /** Does it, and returns µs a call. */
  run(peer: Peer): number;
}

/** A bound on µs a call, as a function of those of all subjects and of other workloads. */
export interface Guard {
  /** What is bounded. */
  what: string;
  /** The value that is bounded; `of` gives a subject's µs in a workload, by default in this one. */
  value(of: (subject: string, workload?: string) => number): number;
  /** The bound. */
  atMost?: number;
  /** The bound. */
  atLeast?: number;
}

/** Something that must hold of a store, or its time means nothing. */
export function expect(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`wrong answer: ${what}`);
}

/** µs a call: `act` is called `count` times, or until the time is up, and then `end`. */
export function timed(
  count: number,
  act: (index: number) => void,
  end: () => void = () => {},
  limitMs: number = LIMIT_MS,
): { micros: number; calls: number } {
  const began = performance.now();
  let calls = 0;
  while (calls < count) {
    const pause = Math.min(count, calls + 32);
    for (; calls < pause; calls++) act(calls);
    if (performance.now() - began > limitMs) break;
  }
  end();
  return { micros: (performance.now() - began) * 1000 / calls, calls };
}

/** The byte at a place of a file; no two blocks are alike. */
export function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + seed * 17) & 0xff;
  return bytes;
}

/** Whether all bytes are alike. */
export function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/** Makes a file with contents. */
export function put(peer: Peer, path: string, bytes: Uint8Array): void {
  const stream = peer.open(path, "w+");
  peer.write(stream, bytes, 0);
  peer.close(stream);
}

/** Reads a file from its start, and returns how much that was. */
export function get(peer: Peer, path: string, into: Uint8Array): number {
  const stream = peer.open(path, "r");
  const count = peer.read(stream, into, 0);
  peer.close(stream);
  return count;
}

/** Looks at a piece of a file. */
export function expectBytes(peer: Peer, path: string, wanted: Uint8Array, position = 0): void {
  const stream = peer.open(path, "r");
  const into = new Uint8Array(wanted.length);
  const count = peer.read(stream, into, position);
  peer.close(stream);
  expect(count === wanted.length && isSame(into, wanted), `bytes of ${path} at ${position}`);
}

/** What a small file holds. */
export const CONTENT: Uint8Array = pattern(KIB, 1);
/** What it holds after it has been changed. */
export const CHANGED: Uint8Array = pattern(KIB, 2);
/** A block. */
export const PAGE: Uint8Array = pattern(4 * KIB, 3);
/** A small piece. */
export const SMALL: Uint8Array = pattern(64, 4);
/** A large piece. */
export const PIECE: Uint8Array = pattern(128 * KIB, 5);
/** Places all over the file of random work, the same for all. */
export const sequence = (index: number): number =>
  (Math.imul(index, 2_654_435_761) >>> 0) % (RANDOM_BYTES / PAGE.length) * PAGE.length;

/** A file of 16 MiB that is there. */
export function randomFile(peer: Peer): unknown {
  const stream = peer.open("/random", "r+");
  expect(peer.stat("/random") === RANDOM_BYTES, "size of /random");
  return stream;
}

/** Makes that file. */
export function makeRandomFile(peer: Peer): void {
  const whole = pattern(MIB, 6);
  const stream = peer.open("/random", "w+");
  for (let at = 0; at < RANDOM_BYTES; at += MIB) peer.write(stream, whole, at);
  peer.close(stream);
  peer.sync();
}
