/**
 * Replay: finds the records that count in the ring, and lays them over the tables.
 *
 * Layer: opfs/volume, under `image.ts`. Records follow each other from the header's tail by
 * sequence, salt and checksum (V10). Behind the first one that is not whole there can be no whole
 * one, because record N+1 begins after the flush of record N; if there is, the ring is damaged in
 * the middle, and what it says is not believed at all.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../abi/errno.ts";
import type { Patch } from "./block_pool.ts";
import type { Header } from "./header.ts";
import type { RingPosition } from "./journal.ts";
import * as L from "./layout.ts";
import { type FoundRecord, impossible, type RecordLists, RecordReader } from "./record.ts";
import { type Tell, tellOrThrow } from "./report.ts";
import type { Superblock } from "./superblock.ts";
import type { Tables } from "./tables.ts";

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
  /** Reads their lists. */
  reader: RecordReader;
}

/**
 * Finds the records that count: with damage in the middle those before it.
 *
 * @throws {ErrnoError} EIO for damage in the middle, unless somebody wants to be told
 */
export function findRecords(ring: Uint8Array, header: Header, tell?: Tell): Replay {
  const reader = new RecordReader(ring);
  const records: FoundRecord[] = [];
  const next: RingPosition = {
    sequence: header.tailSequence,
    place: header.tailPlace,
    checksum: header.tailChecksum,
  };
  let totalBlocks = header.superblock.totalBlocks;
  let isLonger = false;
  for (;;) {
    const record = follower(reader, next, header.salt, ring.length);
    if (record === null) break;
    records.push(record);
    isLonger = record.totalBlocks > totalBlocks;
    totalBlocks = record.totalBlocks;
    next.sequence = record.sequence + 1;
    next.place = (record.place + record.bytes) % ring.length;
    next.checksum = record.checksum;
  }
  try {
    refuseLater(reader, ring.length, { salt: header.salt, next });
  } catch (error) {
    tellOrThrow(error, tell);
  }
  return { records, next, totalBlocks, isLonger, reader };
}

/** The record that goes on from a position: there, or at the ring's start if it did not fit. */
function follower(
  reader: RecordReader,
  next: RingPosition,
  salt: readonly [number, number],
  ringBytes: number,
): FoundRecord | null {
  const here = reader.at(next.place, salt);
  if (here !== null && isNext(here, next)) return here;
  const atStart = next.place > 0 ? reader.at(0, salt) : null;
  const isWrapped = atStart !== null && isNext(atStart, next) &&
    atStart.bytes > ringBytes - next.place;
  return isWrapped ? atStart : null;
}

function isNext(record: FoundRecord, next: RingPosition): boolean {
  return record.sequence === next.sequence && record.previous === next.checksum;
}

function refuseLater(
  reader: RecordReader,
  ringBytes: number,
  from: { salt: readonly [number, number]; next: RingPosition },
): void {
  const { salt, next } = from;
  for (let place = 0; place < ringBytes; place += L.SECTOR_BYTES) {
    const record = reader.at(place, salt);
    if (record === null || record.sequence < next.sequence) continue;
    const what = `record ${next.sequence} is damaged and record ${record.sequence} is whole`;
    throw new ErrnoError("EIO", `open the volume: V10: ${what}: the journal is damaged`);
  }
}

/** Lays what records say of the first page of slots over it: it tells where the tables are. */
export function replayDescriptors(replay: Replay, slots: Uint8Array, tell?: Tell): void {
  for (const record of replay.records) {
    try {
      for (const { index, bytes } of replay.reader.lists(record).slots) {
        if (index < L.PAGE_BYTES / L.SLOT_BYTES) slots.set(bytes, index * L.SLOT_BYTES);
      }
    } catch (error) {
      // It is told when the tables are replayed.
      if (tell === undefined || !isErrnoError(error)) throw error;
      return;
    }
  }
}

/**
 * Lays the records over the tables, and returns what they say of data blocks. Behind a record that
 * says what cannot be, none is believed.
 *
 * @throws {ErrnoError} EIO for such a record, unless somebody wants to be told
 */
export function replayTables(
  replay: Replay,
  into: { tables: Tables; superblock: Superblock; tell?: Tell },
): Map<number, Patch[]> {
  const { tables, superblock, tell } = into;
  const patches = new Map<number, Patch[]>();
  for (const record of replay.records) {
    try {
      const lists = replay.reader.lists(record);
      requirePossible(record, lists, { tables, superblock, totalBlocks: replay.totalBlocks });
      applyLists(lists, tables, patches);
    } catch (error) {
      tellOrThrow(error, tell);
      break;
    }
  }
  return patches;
}

/** Everything of a record is looked at before anything of it counts. */
function requirePossible(
  record: FoundRecord,
  lists: RecordLists,
  there: { tables: Tables; superblock: Superblock; totalBlocks: number },
): void {
  const { tables, superblock, totalBlocks } = there;
  for (const { index } of lists.slots) {
    if (index >= tables.slotCount) throw impossible(record, `slot ${index} is not there`);
  }
  for (const { offset, bytes } of lists.names) {
    if (offset + bytes.length > tables.names.length) {
      throw impossible(record, `names at ${offset} are not there`);
    }
  }
  for (const { block, offset, bytes } of lists.data) {
    const isThere = block < totalBlocks && offset + bytes.length <= superblock.blockSize;
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
