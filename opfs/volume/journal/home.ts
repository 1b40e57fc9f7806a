/**
 * Writing home: changed pages of the tables, the headers and the superblock's copy.
 *
 * Layer: opfs/volume. Only this file writes outside of the blocks; the journal writes its ring.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import * as L from "../format/layout.ts";
import { encodeHeader, type Header } from "../format/header.ts";
import { sumAreas, touchedSums } from "../memory/page_sums.ts";
import { locate, type Segment } from "../format/segments.ts";
import { type VolumeState, writeDevice } from "../state.ts";
import { encodeSuperblock, type Superblock } from "../format/superblock.ts";

/** Bytes that are collected for one write. */
const STAGING_PAGES = 256;

/** Pages of the tables that are being written home. */
interface Pages {
  slots: readonly number[];
  names: readonly number[];
  bits: readonly number[];
}

/**
 * Writes the tables and the superblock's copy home, and flushes. After a refused flush it is
 * unknown which of them landed: they stay marked, so that they are written again.
 *
 * @throws {ErrnoError} what the device and `flush` throw
 */
export function bringTablesHome(state: VolumeState, flush: () => void): void {
  const pages = writeTablesHome(state);
  writeSuperblockCopy(state);
  try {
    flush();
  } catch (error) {
    const { tables, bitmap } = state;
    for (const page of pages.slots) tables.homeSlots.add(page);
    for (const page of pages.names) tables.homeNames.add(page);
    for (const page of pages.bits) bitmap.home.add(page);
    state.superblockCopy = new Uint8Array(0);
    throw error;
  }
}

/**
 * Writes every changed page of slots, names and bitmap to its place, neighbours in one call, and
 * the sums of pages that have one. Returns the pages.
 */
export function writeTablesHome(state: VolumeState): Pages {
  const { tables, bitmap, segments } = state;
  const touched = {
    slots: tables.homeSlots.toArray(),
    names: tables.homeNames.toArray(),
    bits: bitmap.home.toArray(),
  };
  writePages(state, segments.slots, touched.slots, (logical, into) => {
    tables.copySlots(logical / L.SLOT_BYTES, into.length / L.SLOT_BYTES, into, 0);
  });
  writePages(state, segments.names, touched.names, (logical, into) => {
    into.set(tables.names.subarray(logical, logical + into.length));
  });
  if (tables.sums !== null) {
    const areas = sumAreas(segments, L.RING_AT + state.header.ringBytes);
    for (const { at, bytes } of touchedSums(tables.sums, areas, touched)) {
      writeDevice(state, bytes, at);
    }
  }
  writePages(state, segments.bitmap, touched.bits, (logical, into) => {
    bitmap.copyBytes(logical, into);
  });
  tables.homeSlots.clear();
  tables.homeNames.clear();
  bitmap.home.clear();
  return touched;
}

function writePages(
  state: VolumeState,
  segments: readonly Segment[],
  pages: readonly number[],
  copy: (logical: number, into: Uint8Array) => void,
): void {
  for (let index = 0; index < pages.length;) {
    const logical = pages[index]! * L.PAGE_BYTES;
    const place = locate(segments, logical);
    invariant(place.bytes > 0, "V11: the page at {} is past its table", logical);
    const most = Math.min(STAGING_PAGES, place.bytes / L.PAGE_BYTES);
    let count = 1;
    while (count < most && pages[index + count] === pages[index]! + count) count++;
    const staging = new Uint8Array(count * L.PAGE_BYTES);
    copy(logical, staging);
    writeDevice(state, staging, place.at);
    index += count;
  }
}

/** Geometry and counters as they are now. */
function currentSuperblock(state: VolumeState): Superblock {
  const { blocks, unowned } = state.bitmap;
  const { totalBlocks } = state.superblock;
  invariant(totalBlocks === blocks, "V3: {} blocks are said, there are {}", totalBlocks, blocks);
  invariant(unowned >= 0 && unowned <= blocks, "V3: {} of {} blocks are free", unowned, blocks);
  return {
    ...state.superblock,
    freeBlocks: state.bitmap.unowned,
    pathUsed: state.paths.usedBytes,
  };
}

/** Writes the superblock's copy at 0 if it is not there yet. */
function writeSuperblockCopy(state: VolumeState): void {
  const copy = new Uint8Array(L.SUPERBLOCK_BYTES);
  encodeSuperblock(currentSuperblock(state), new DataView(copy.buffer), 0);
  if (copy.every((byte, index) => byte === state.superblockCopy[index])) return;
  writeDevice(state, copy, L.SUPERBLOCK_AT);
  state.superblockCopy = copy;
}

/** Writes the new header over the older of the two; returns its bytes. Does not flush. */
export function writeHeader(
  state: VolumeState,
  change: Partial<Header>,
): Uint8Array<ArrayBuffer> {
  const header = {
    ...state.header,
    ...change,
    counter: state.header.counter + 1,
    featuresReadOnly: state.xattrs.size > 0 ? L.FEATURE_XATTR : 0,
    superblock: currentSuperblock(state),
  };
  const isPlace = state.headerAt === L.HEADER_A_AT || state.headerAt === L.HEADER_B_AT;
  invariant(isPlace, "V9: the newest header is at {}", state.headerAt);
  const at = state.headerAt === L.HEADER_A_AT ? L.HEADER_B_AT : L.HEADER_A_AT;
  // The attempt uses up the header's number: a refused write may have landed.
  state.header = { ...state.header, counter: header.counter };
  const bytes = encodeHeader(header);
  writeDevice(state, bytes, at);
  state.header = header;
  state.headerAt = at;
  return bytes;
}
