/**
 * What no relay can beat, measured beside it in a thread of its own: a bare round trip over shared
 * memory, and the raw handle. And one of several clients of a volume.
 *
 * Layer: bench; part of the bundle that `relay.ts` makes for a page and its workers.
 *
 * @module
 */
import { openOpfsHandle, openVolume, type VolumeTicket } from "../opfs/mod.ts";

/** What a helper thread is asked to do. */
export type Ask =
  | { what: "ready" }
  | { what: "pong"; words: Int32Array }
  | { what: "raw"; path: string; pieces: number }
  | { what: "client"; ticket: VolumeTicket; name: string }
  | { what: "go"; calls: number };

/** Microseconds a call of the raw handle, 128 KiB each: one write per change, and one flush. */
export interface RawFigures {
  write: number;
  read: number;
}

const PIECE = new Uint8Array(131_072).fill(9);
const PAGE = new Uint8Array(4096).fill(8);
const FILE = { mode: 0o100644, uid: 0, gid: 0 };

let durable: (calls: number) => void = () => {};

/** Does what a helper thread is asked to. */
export async function help(ask: Ask): Promise<unknown> {
  if (ask.what === "ready") return null;
  if (ask.what === "pong") return pong(ask.words);
  if (ask.what === "raw") return await raw(ask.path, ask.pieces);
  if (ask.what === "client") return await attach(ask.ticket, ask.name);
  durable(ask.calls);
  return null;
}

/** Answers each ping until word 2 is set. */
function pong(words: Int32Array): void {
  for (let seen = 0; Atomics.load(words, 2) === 0;) {
    Atomics.wait(words, 0, seen, 1000);
    const now = Atomics.load(words, 0);
    if (now === seen) continue;
    seen = now;
    Atomics.store(words, 1, now);
    Atomics.notify(words, 1);
  }
}

/** Microseconds of a bare round trip; this thread sleeps if it can, and spins if it cannot. */
export function ping(words: Int32Array, count: number, maySleep: boolean): number {
  const began = performance.now();
  const last = Atomics.load(words, 0) + count;
  for (let round = last - count + 1; round <= last; round++) {
    Atomics.store(words, 0, round);
    Atomics.notify(words, 0);
    while (Atomics.load(words, 1) !== round) {
      if (maySleep) Atomics.wait(words, 1, round - 1, 1000);
    }
  }
  return (performance.now() - began) * 1000 / count;
}

/** The other side may go. */
export function endPing(words: Int32Array): void {
  Atomics.store(words, 2, 1);
  Atomics.notify(words, 0);
}

async function raw(path: string, pieces: number): Promise<RawFigures> {
  const handle = await openOpfsHandle(path);
  handle.truncate(0);
  handle.flush();
  const micros = (call: () => void): number => {
    const began = performance.now();
    call();
    return (performance.now() - began) * 1000;
  };
  const timed = (call: (at: number) => void, end: () => void): number => {
    const each: number[] = [];
    for (let index = 0; index < pieces; index++) {
      each.push(micros(() => call(index * PIECE.length)));
    }
    const sorted = each.sort((a, b) => a - b);
    return sorted[Math.floor(pieces / 2)]! + micros(end) / pieces;
  };
  const write = timed((at) => void handle.write(PIECE, { at }), () => handle.flush());
  const read = timed((at) => void handle.read(PIECE, { at }), () => {});
  handle.truncate(0);
  handle.close();
  return { write, read };
}

/** One client with a file of its own; its work is to write a page and make it durable. */
async function attach(ticket: VolumeTicket, name: string): Promise<void> {
  const volume = await openVolume({ ticket });
  const ino = volume.create(volume.root, name, FILE);
  volume.write(ino, new Uint8Array(64 * PAGE.length), 0);
  volume.sync();
  durable = (calls) => {
    for (let index = 0; index < calls; index++) {
      volume.write(ino, PAGE, index % 64 * PAGE.length);
      volume.fsync(ino);
    }
  };
}
