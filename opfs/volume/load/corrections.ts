/**
 * What a mount corrects in slots and names: where nothing is lost, because the rest of the image
 * implies the right bytes.
 *
 * Layer: opfs/volume. `scan.ts` finds them, `mount.ts` has them corrected: by records, after its
 * own header, like any other change, so that a crash in between leaves the old bytes or the right
 * ones. On a read-only volume they are corrected in memory only.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import * as L from "../format/layout.ts";
import { entryBytes } from "../memory/path_table.ts";
import type { VolumeState } from "../state.ts";
import type { Tables } from "../memory/tables.ts";

/** One correction. */
export type Correction =
  /** How many names a slot has. */
  | { kind: "nlink"; slot: number; nlink: number }
  /** The file has continuation slots, and its flag did not say so. */
  | { kind: "continued"; slot: number }
  /** What a name leaves of its granules is zero. */
  | { kind: "padding"; offset: number; length: number };

/** Corrections in one step: what they dirty is less than a step may. */
const PER_STEP = 32;

/** Makes all corrections, as transactions. */
export function correctByRecords(state: VolumeState, corrections: readonly Correction[]): void {
  const { tables } = state;
  for (let index = 0; index < corrections.length; index += PER_STEP) {
    state.step(() => {
      for (const correction of corrections.slice(index, index + PER_STEP)) {
        if (correction.kind === "padding") {
          tables.editNames(correction.offset, entryBytes(correction.length));
        } else tables.edit(correction.slot);
        correct(tables, correction);
      }
    });
  }
}

/** Makes all corrections in memory only. */
export function correctInMemory(tables: Tables, corrections: readonly Correction[]): void {
  for (const correction of corrections) correct(tables, correction);
}

function correct(tables: Tables, correction: Correction): void {
  const { view, names } = tables;
  if (correction.kind === "padding") {
    const { offset, length } = correction;
    const isThere = offset + entryBytes(length) <= names.length;
    invariant(isThere, "V5: the name at {} is put right and is not there", offset);
    names.fill(0, offset + L.NAME.BYTES + length, offset + entryBytes(length));
    return;
  }
  const { slot } = correction;
  invariant(slot < tables.slotCount, "V4: slot {} is put right and is not there", slot);
  const at = slot * L.SLOT_BYTES;
  if (correction.kind === "nlink") {
    const { nlink } = correction;
    invariant(nlink > 0 && nlink <= L.NLINK_MAX, "V4: a count of {} names is put right", nlink);
    view.setUint16(at + L.SLOT.NLINK, nlink, L.LE);
  } else view.setUint8(at + L.SLOT.FLAGS, L.FLAG_CONTINUED);
}
