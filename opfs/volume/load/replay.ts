/**
 * Replay: finds the records in the ring that count, and applies them to the tables.
 *
 * Layer: opfs/volume, under `image.ts`. Records follow each other from the header's tail on, by
 * sequence, salt and checksum (V10); with sums also past a later header, which may be lost. After
 * the first record that is not whole there can be no whole one, because record N+1 begins only
 * after the flush of record N. If there is one, the ring is damaged in the middle, and the image is
 * refused. Records are looked for only where the chain goes on, because bytes of files in records
 * may contain whole records of another image.
 *
 * @module
 */
import { isErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import type { Patch } from "../memory/pool_types.ts";
import { COUNTS_MAX, type Header, isSummed, saltOf, type Tail } from "../format/header.ts";
import type { RingPosition } from "../journal/journal.ts";
import * as L from "../format/layout.ts";
import { type FoundRecord, impossible, type RecordLists, RecordReader } from "../format/record.ts";
import { mendRecord } from "../format/record_mend.ts";
import { DamageError, type OnViolation, reportOrThrow, type Violation } from "../format/report.ts";
import type { Superblock } from "../format/superblock.ts";
import type { Tables } from "../memory/tables.ts";

/** The records of an image that count. */
export interface Replay {
  /** In order. */
  records: FoundRecord[];
  /** Where the next record goes. */
  next: RingPosition;
  /** Blocks of the volume after them. */
  totalBlocks: number;
  /** Whether the last record made the volume longer: then the file may be too short. */
  isLonger: boolean;
  /** The largest known counter of a header: the header's, or that of a later one that is lost. */
  counter: number;
  /** What was wrong, and is corrected in memory. */
  mended: Violation[];
  /** Reads their lists. */
  reader: RecordReader;
}

/** The chain of records, as far as it has been followed. */
interface Chain {
  reader: RecordReader;
  isSummed: boolean;
  next: RingPosition;
  /** The salt of the last record, or of the header. */
  salt: readonly [number, number];
  /** The counter of the header that was the newest when the last record was written. */
  counter: number;
  mended: Violation[];
}

/**
 * Finds the records that count; when the ring is damaged in the middle, those before the damage.
 *
 * @throws {ErrnoError} EIO for damage in the middle, unless there is a listener
 */
export function findRecords(
  ring: Uint8Array,
  header: Header & { olderTail?: Tail | null },
  onViolation?: OnViolation,
): Replay {
  const { ringBytes } = header;
  invariant(ring.length === ringBytes, "V9: {} bytes of a ring of {}", ring.length, ringBytes);
  const { tailPlace } = header;
  invariant(tailPlace < ringBytes, "V10: replay begins at {} of {} bytes", tailPlace, ringBytes);
  const chain = chainAfter(ring, header);
  const records: FoundRecord[] = [];
  const firstWords = new Set([chain.salt[0]]);
  let totalBlocks = header.superblock.totalBlocks;
  let isLonger = false;
  for (let record = nextRecord(chain); record !== null; record = nextRecord(chain)) {
    records.push(record);
    firstWords.add(record.salt[0]);
    isLonger = record.totalBlocks > totalBlocks;
    totalBlocks = record.totalBlocks;
    goOn(chain, record);
  }
  try {
    refuseLater(chain, firstWords);
  } catch (error) {
    reportOrThrow(error, onViolation);
  }
  const { reader, next, counter, mended } = chain;
  if (counter > header.counter) leaveOutHome(records, chain, !!header.olderTail);
  for (const violation of mended) onViolation?.(violation);
  return { records, next, totalBlocks, isLonger, counter, mended, reader };
}

function chainAfter(ring: Uint8Array, header: Header): Chain {
  const isSummedImage = isSummed(header);
  return {
    reader: new RecordReader(ring, { isSummed: isSummedImage }),
    isSummed: isSummedImage,
    next: {
      sequence: header.tailSequence,
      place: header.tailPlace,
      checksum: header.tailChecksum,
    },
    salt: saltOf(header),
    counter: header.counter,
    mended: [],
  };
}

/** The salt of a record counts from then on, and so does what it says of a later header. */
function goOn(chain: Chain, record: FoundRecord): void {
  const { next, salt } = chain;
  if (chain.isSummed) chain.counter += later(record.salt[1], salt[1]);
  chain.salt = record.salt;
  next.sequence = record.sequence + 1;
  next.place = (record.place + record.bytes) % chain.reader.ring.length;
  next.checksum = record.checksum;
}

/** By how much a counter's low half is later than another one's. */
function later(counter: number, than: number): number {
  return (counter - than) >>> 0;
}

/**
 * The record that the chain goes on with: at its place, or at the ring's start if it did not fit. Only
 * if neither is whole a wrong bit is looked for in one of them.
 */
function nextRecord(chain: Chain): FoundRecord | null {
  const { reader, next } = chain;
  const here = (record: FoundRecord): boolean => isNext(record, chain);
  const rest = reader.ring.length - next.place;
  const atStart = (record: FoundRecord): boolean => here(record) && record.bytes > rest;
  const whole = reader.at(next.place, here) ?? (next.place > 0 ? reader.at(0, atStart) : null);
  if (whole !== null || !chain.isSummed) return whole;
  const { sequence, checksum } = next;
  const mended = mendRecord(reader, next.place, { sequence, checksum, isNext: here }) ??
    (next.place > 0 ? mendRecord(reader, 0, { sequence, checksum, isNext: atStart }) : null);
  if (mended !== null) {
    const message = `one bit of record ${sequence} was wrong: it is put right`;
    chain.mended.push({ rule: "V10", message, isDerivable: true });
  }
  return mended;
}

/** Whether a record continues the chain: with the same salt, or with a later header's. */
function isNext(record: FoundRecord, { next, salt, isSummed, counter }: Chain): boolean {
  if (record.sequence !== next.sequence || record.previous !== next.checksum) return false;
  if (isSameSalt(record.salt, salt)) return true;
  const step = later(record.salt[1], salt[1]);
  return isSummed && step > 0 && step < 2 ** 31 && counter + step < COUNTS_MAX;
}

/**
 * A header is written when everything so far is home. So when records name a later header than the
 * present one, the records before them are not replayed: the tables at home may have changed since.
 * One such record may be what a crash has left of a header and a record; more of them mean that the
 * header was durable and is lost, unless an older one is whole at its place: then its write was
 * refused, and nothing is lost.
 */
function leaveOutHome(records: FoundRecord[], { salt, mended }: Chain, isRefused = false): void {
  const first = records.findIndex((record) => record.salt[1] === salt[1]);
  records.splice(0, first);
  if (records.length === 1 || isRefused) return;
  const [from, to] = [records[0]!.sequence, records.at(-1)!.sequence];
  const message = `the header before records ${from} to ${to} is lost: replay begins with them`;
  mended.push({ rule: "V9", message, isDerivable: true });
}

/** No whole record of a salt on the chain may have a sequence that the chain has not reached. */
function refuseLater(chain: Chain, firstWords: ReadonlySet<number>): void {
  const { reader, next, salt } = chain;
  const isLater = (record: FoundRecord): boolean =>
    record.sequence >= next.sequence &&
    (chain.isSummed ? firstWords.has(record.salt[0]) : isSameSalt(record.salt, salt));
  for (let place = 0; place < reader.ring.length; place += L.SECTOR_BYTES) {
    const record = reader.at(place, isLater);
    if (record === null) continue;
    const what = `record ${next.sequence} is damaged and record ${record.sequence} is whole`;
    throw new DamageError("V10", `${what}: the journal is damaged`);
  }
}

function isSameSalt(one: readonly [number, number], other: readonly [number, number]): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

/** Applies what records say of the first page of slots, which describes where the tables are. */
export function replayDescriptors(
  replay: Replay,
  slots: Uint8Array,
  onViolation?: OnViolation,
): void {
  invariant(slots.length >= L.PAGE_BYTES, "V11: {} bytes of the first page of slots", slots.length);
  for (const record of replay.records) {
    try {
      for (const { index, bytes } of replay.reader.lists(record).slots) {
        if (index < L.PAGE_BYTES / L.SLOT_BYTES) slots.set(bytes, index * L.SLOT_BYTES);
      }
    } catch (error) {
      // It is reported when the tables are replayed.
      if (onViolation === undefined || !isErrnoError(error)) throw error;
      return;
    }
  }
}

/**
 * Applies the records to the tables, and returns what they say of data blocks. After an impossible
 * record, none is applied.
 *
 * @throws {ErrnoError} EIO for such a record, unless there is a listener
 */
export function replayTables(
  replay: Replay,
  into: { tables: Tables; superblock: Superblock; onViolation?: OnViolation },
): Map<number, Patch[]> {
  const { tables, superblock, onViolation } = into;
  const patches = new Map<number, Patch[]>();
  for (const record of replay.records) {
    try {
      const lists = replay.reader.lists(record);
      requirePossible(record, lists, { tables, superblock });
      applyLists(lists, tables, patches);
    } catch (error) {
      reportOrThrow(error, onViolation);
      break;
    }
  }
  // A later record may have cut these blocks off.
  for (const block of patches.keys()) if (block >= replay.totalBlocks) patches.delete(block);
  return patches;
}

/** Checks everything in a record before anything of it counts. */
function requirePossible(
  record: FoundRecord,
  lists: RecordLists,
  { tables, superblock }: { tables: Tables; superblock: Superblock },
): void {
  for (const { index } of lists.slots) {
    if (index >= tables.slotCount) throw impossible(record, `slot ${index} is not there`);
  }
  for (const { offset, bytes } of lists.names) {
    if (offset + bytes.length > tables.names.length) {
      throw impossible(record, `names at ${offset} are not there`);
    }
  }
  for (const { block, offset, bytes } of lists.data) {
    const isThere = block < record.totalBlocks && offset + bytes.length <= superblock.blockSize;
    if (!isThere) throw impossible(record, `bytes of block ${block} are not there`);
  }
}

function applyLists(lists: RecordLists, tables: Tables, patches: Map<number, Patch[]>): void {
  for (const { index, bytes } of lists.slots) tables.replaySlot(index, bytes);
  for (const { offset, bytes } of lists.names) tables.replayNames(offset, bytes);
  for (const { block, offset, bytes } of lists.data) {
    const patch = { offset, bytes };
    const before = patches.get(block);
    if (before === undefined) patches.set(block, [patch]);
    else before.push(patch);
  }
}
