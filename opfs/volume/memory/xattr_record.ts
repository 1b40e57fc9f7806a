/**
 * The record of an extended attribute: a type-7 slot and its entry in the path table.
 *
 * Layer: opfs/volume, bottom: `xattr.ts` writes them; `scan.ts` checks those of an image before any
 * are used.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import * as L from "../format/layout.ts";
import { blockOfPair, countOfPair, parentAt, putPair } from "../format/slots.ts";
import { decodeName, isUtf8 } from "../format/names.ts";
import { isInside, type Segment } from "../format/segments.ts";
import { entryBytes } from "./path_table.ts";
import type { Tables } from "./tables.ts";

/** Blocks of a value that follow each other. */
export interface ValueRun {
  /** First block. */
  block: number;
  /** How many. */
  count: number;
}

/** The blocks of the value of the type-7 slot at `at`; empty if it follows the name. */
export function valueRuns(view: DataView, at: number): ValueRun[] {
  const runs: ValueRun[] = [];
  const pairs = Math.min(L.XATTR_PAIRS_MAX, view.getUint8(at + L.XATTR.RUNS));
  for (let pair = 0; pair < pairs; pair++) {
    const pairAt = at + L.XATTR.PAIRS + pair * L.PAIR_BYTES;
    const block = blockOfPair(view, pairAt);
    runs.push({ block, count: countOfPair(view, pairAt) });
  }
  return runs;
}

/** Writes the blocks of the value of the type-7 slot at `at`. */
export function storeValueRuns(view: DataView, at: number, runs: readonly ValueRun[]): void {
  invariant(runs.length <= L.XATTR_PAIRS_MAX, "V7: a value in {} runs", runs.length);
  view.setUint8(at + L.XATTR.RUNS, runs.length);
  for (let pair = 0; pair < L.XATTR_PAIRS_MAX; pair++) {
    const pairAt = at + L.XATTR.PAIRS + pair * L.PAIR_BYTES;
    putPair(view, pairAt, runs[pair]?.block ?? 0, runs[pair]?.count ?? 0);
  }
}

/** Bytes of the entry after its first four: the name, and the value if it is there. */
export function entryLength(view: DataView, at: number): number {
  const nameLength = view.getUint16(at + L.XATTR.PATH_LENGTH, L.LE);
  const isInline = view.getUint8(at + L.XATTR.RUNS) === 0;
  return nameLength + (isInline ? view.getUint32(at + L.XATTR.SIZE, L.LE) : 0);
}

/** Where the name of an attribute stands in the path table. */
export function placeOfName(tables: Tables, slot: number): { from: number; to: number } {
  const at = slot * L.SLOT_BYTES;
  const from = tables.view.getUint32(at + L.XATTR.PATH_OFFSET, L.LE) + L.NAME.BYTES;
  return { from, to: from + tables.view.getUint16(at + L.XATTR.PATH_LENGTH, L.LE) };
}

/** The name of an attribute. */
export function attributeName(tables: Tables, slot: number): string {
  const { from, to } = placeOfName(tables, slot);
  return decodeName(tables.names, from, to - from);
}

/** What the checks need to know of the image. */
export interface ImageShape {
  /** Bytes of a block. */
  blockSize: number;
  /** Where the path table lies. */
  names: readonly Segment[];
}

/** The rule that an attribute's record breaks, or null. Whose blocks it has is not looked at. */
export function attributeProblem(
  tables: Tables,
  slot: number,
  around: ImageShape,
): { rule: string; why: string } | null {
  const at = slot * L.SLOT_BYTES;
  const { view } = tables;
  const size = view.getUint32(at + L.XATTR.SIZE, L.LE);
  const pairs = view.getUint8(at + L.XATTR.RUNS);
  if (pairs > L.XATTR_PAIRS_MAX || size > L.XATTR_VALUE_BYTES_MAX) {
    return { rule: "V7", why: `is ${size} bytes in ${pairs} runs` };
  }
  const blocks = valueRuns(view, at).reduce((sum, { count }) => sum + count, 0);
  if (pairs > 0 && blocks !== Math.ceil(size / around.blockSize)) {
    return { rule: "V7", why: `is ${size} bytes in ${blocks} blocks` };
  }
  const rest = at + L.XATTR.PAIRS + pairs * L.PAIR_BYTES;
  const hasSum = pairs > 0 && tables.sums !== null;
  const isPlain = (hasSum || view.getUint32(at + L.XATTR.SUM, L.LE) === 0) &&
    tables.slots.subarray(rest, at + L.SLOT_BYTES).every((byte) => byte === 0);
  if (!isPlain) return { rule: "V8", why: "has something in a reserved field" };
  return entryProblem(tables, slot, around);
}

function entryProblem(
  tables: Tables,
  slot: number,
  { names: segments }: ImageShape,
): { rule: string; why: string } | null {
  const at = slot * L.SLOT_BYTES;
  const { view, names, nameView } = tables;
  const offset = view.getUint32(at + L.XATTR.PATH_OFFSET, L.LE);
  const { from, to } = placeOfName(tables, slot);
  const length = entryLength(view, at);
  const isPlace = to > from && to - from <= L.XATTR_NAME_BYTES_MAX &&
    length <= L.XATTR_ENTRY_BYTES_MAX && offset % L.GRANULE_BYTES === 0 &&
    isInside(segments, offset, entryBytes(length));
  if (!isPlace) return { rule: "V5", why: `has an entry of ${length} bytes at ${offset}` };
  const name = names.subarray(from, to);
  if (name.includes(0) || !isUtf8(name)) return { rule: "V5", why: "has an invalid name" };
  const owner = view.getUint32(at + L.XATTR.OWNER, L.LE);
  if (parentAt(nameView, offset) === owner) return null;
  return { rule: "V5", why: "has an entry of another inode" };
}
