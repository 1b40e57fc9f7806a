/**
 * A device that remembers every write, cut and flush, and can yield every image that a crash could
 * leave.
 *
 * Layer: tests. What was written before a flush that returned is on the device; what came after it
 * may be there, be lost, or be torn at 512 bytes, in any combination. The models:
 *
 * - `killed`: the process died between two calls; everything written so far is there.
 * - `torn`: the same, and the first sectors of the next write.
 * - `lost`: power went; exactly one of the unflushed calls is not there.
 * - `subset`: power went; a random part of the unflushed calls is there.
 *
 * Cuts and growths of the file are calls like writes. A call that `refuses` picks is refused as by a
 * full disk, and has landed all the same, as far as unflushed calls have. After a flush that
 * `refusesFlush` picks the host shows everything until power goes, and has stored what chance has
 * picked of it; what it has not it never will, whatever later flushes answer.
 *
 * Use: run a workload on it, then `for (const image of handle.crashes(random)) ...`.
 *
 * @module
 */
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import type { Prng } from "./prng.ts";

/** A call that changed the device. */
export type Change =
  | { kind: "write"; at: number; bytes: Uint8Array }
  | { kind: "truncate"; size: number }
  | { kind: "flush" }
  | { kind: "refused flush" };

/** How a crash can leave the device. */
export type CrashModel = "killed" | "torn" | "lost" | "subset";

/** One image that a crash could leave. */
export interface CrashImage {
  /** How. */
  model: CrashModel;
  /** Calls that had been made. */
  point: number;
  /** The device. */
  bytes: Uint8Array;
}

const SECTOR_BYTES = 512;
const IS_LONG = Deno.env.get("CAIRN_LONG") === "1";
/** Calls that are lost in turn, about, at a point that is not before a flush. */
const LOST_BETWEEN = 2;
/** Random parts that are tried at each point; of calls among which the file has changed its length. */
const SUBSETS = 3;
const SUBSETS_RESIZED = 10;

/** A device in memory that can crash at each call. */
export class CrashHandle implements StorageHandle {
  readonly #device = memoryHandle();
  readonly #start: Uint8Array;
  /** Whether a volume is to take it for a sparse one. */
  isSparse = false;
  /** What has changed the device, in order. */
  readonly changes: Change[] = [];
  /** Which writes are refused, although they land. */
  refuses: (at: number, length: number) => boolean = () => false;
  /** How many have been refused. */
  refused = 0;
  /** Which flushes are refused. */
  refusesFlush: () => boolean = () => false;

  /** Begins with an image, or empty. */
  constructor(initial: Uint8Array = new Uint8Array(0)) {
    this.#start = initial.slice();
    this.#device.write(initial, { at: 0 });
  }

  read(into: Uint8Array, options: { at: number }): number {
    return this.#device.read(into, options);
  }

  write(from: Uint8Array, options: { at: number }): number {
    this.changes.push({ kind: "write", at: options.at, bytes: from.slice() });
    const count = this.#device.write(from, options);
    if (!this.refuses(options.at, from.length)) return count;
    this.refused++;
    throw new DOMException("the disk is full", "QuotaExceededError");
  }

  getSize(): number {
    return this.#device.getSize();
  }

  truncate(size: number): void {
    this.changes.push({ kind: "truncate", size });
    this.#device.truncate(size);
  }

  flush(): void {
    if (!this.refusesFlush()) {
      this.changes.push({ kind: "flush" });
      return;
    }
    this.changes.push({ kind: "refused flush" });
    throw new DOMException("the disk is full", "QuotaExceededError");
  }

  close(): void {}

  /** The image as it is. */
  toBytes(): Uint8Array {
    return this.#device.toBytes();
  }

  /** Every image that a crash could leave, from call `from` on. Each is valid until the next. */
  *crashes(random: Prng, from = 0): Generator<CrashImage> {
    const durable = new Image(this.#start);
    /** What the host shows, once it has forgotten something. */
    let shown: Image | null = null;
    let unflushed: Change[] = [];
    for (let point = 0; point <= this.changes.length; point++) {
      if (point >= from) {
        if (shown !== null) yield { model: "killed", point, bytes: shown.with([]) };
        yield* this.#crashesAt(point, durable, unflushed, random);
      }
      const change = this.changes[point];
      if (change?.kind === "refused flush" && shown === null) {
        shown = new Image(durable.with(unflushed));
      }
      if (change?.kind === "flush" || change?.kind === "refused flush") {
        for (const done of unflushed) {
          if (change.kind === "flush") durable.apply(done);
          else if (random.below(2) === 0) durable.apply(tear(done, random));
        }
        unflushed = [];
      } else if (change !== undefined) {
        shown?.apply(change);
        unflushed = [...unflushed, change];
      }
    }
  }

  *#crashesAt(
    point: number,
    durable: Image,
    unflushed: readonly Change[],
    random: Prng,
  ): Generator<CrashImage> {
    yield { model: "killed", point, bytes: durable.with(unflushed) };
    const next = this.changes[point];
    if (next?.kind === "write" && next.bytes.length > SECTOR_BYTES) {
      const sectors = Math.ceil(next.bytes.length / SECTOR_BYTES);
      for (const kept of new Set([1, 1 + random.below(sectors - 1), sectors - 1])) {
        const torn = { ...next, bytes: next.bytes.subarray(0, kept * SECTOR_BYTES) };
        yield { model: "torn", point, bytes: durable.with([...unflushed, torn]) };
      }
    }
    // Before a flush everything that can be lost has been written; in between it is a part of that,
    // which the long form looks at as well.
    const isBeforeFlush = next === undefined || next.kind === "flush" ||
      next.kind === "refused flush";
    if (!isBeforeFlush && !IS_LONG) return;
    for (let lost = 0; lost < unflushed.length; lost++) {
      if (!isBeforeFlush && random.below(unflushed.length) >= LOST_BETWEEN) continue;
      const kept = unflushed.filter((_, index) => index !== lost);
      yield { model: "lost", point, bytes: durable.with(kept) };
    }
    const isResized = unflushed.some(({ kind }) => kind === "truncate");
    const rounds = unflushed.length < 2 ? 0 : isResized ? SUBSETS_RESIZED : SUBSETS;
    for (let round = 0; round < rounds; round++) {
      const kept = unflushed.filter(() => random.below(2) === 0).map((change) =>
        tear(change, random)
      );
      yield { model: "subset", point, bytes: durable.with(kept) };
    }
  }
}

/** Now and then a write that is kept is kept in part. */
function tear(change: Change, random: Prng): Change {
  if (change.kind !== "write" || change.bytes.length <= SECTOR_BYTES || random.below(4) > 0) {
    return change;
  }
  const sectors = 1 + random.below(Math.ceil(change.bytes.length / SECTOR_BYTES) - 1);
  return { ...change, bytes: change.bytes.subarray(0, sectors * SECTOR_BYTES) };
}

/** Bytes that changes can be laid over. */
class Image {
  #bytes: Uint8Array;
  #size: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.slice();
    this.#size = bytes.length;
  }

  apply(change: Change): void {
    if (change.kind === "truncate") {
      if (change.size < this.#size) this.#bytes.fill(0, change.size, this.#size);
      this.#reach(change.size);
      this.#size = change.size;
    } else if (change.kind === "write") {
      this.#reach(change.at + change.bytes.length);
      this.#bytes.set(change.bytes, change.at);
      this.#size = Math.max(this.#size, change.at + change.bytes.length);
    }
  }

  #reach(length: number): void {
    if (length <= this.#bytes.length) return;
    const longer = new Uint8Array(Math.max(length, this.#bytes.length * 2));
    longer.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = longer;
  }

  /** The bytes with changes laid over them, as a copy. */
  with(changes: readonly Change[]): Uint8Array {
    const copy = new Image(this.#bytes.subarray(0, this.#size));
    for (const change of changes) copy.apply(change);
    return copy.#bytes.slice(0, copy.#size);
  }
}
