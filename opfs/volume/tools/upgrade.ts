/**
 * Upgrade: an image of an older format, made anew in today's, step by step.
 *
 * Layer: opfs/volume, beside `repair.ts`, whose copy it uses. The old image is only read, and must be
 * whole; the new one has its label, id, journal and limit, and is checked. Numbers of inodes are new,
 * and runs follow each other.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import type { StorageHandle } from "../../device/handle.ts";
import { checkVolume } from "./check.ts";
import { isSummed, newestHeader } from "../format/header.ts";
import * as L from "../format/layout.ts";
import { repairSteps } from "./repair.ts";
import type { Report } from "../format/report.ts";
import { readDevice } from "../state.ts";
import type { TransferSteps } from "../upkeep/transfer.ts";

/**
 * Whether an image lacks something that a new one has: sums of its metadata.
 *
 * @throws {ErrnoError} EINVAL, ENOTSUP or EIO if it is no volume
 */
export function isOlderFormat(handle: StorageHandle): boolean {
  const start = new Uint8Array(Math.min(L.RING_AT, handle.getSize()));
  readDevice(handle, start, 0);
  if (start.length < L.RING_AT) throw new ErrnoError("EINVAL", "upgrade what is no volume");
  return !isSummed(newestHeader(start));
}

/**
 * Copies the volume on `old` to `target`, which is empty. Both handles are left open; the new volume is
 * closed and durable when the last step has been taken.
 *
 * @throws {ErrnoError} EIO for an image that is damaged, EINVAL or ENOTSUP for what is no volume,
 * EEXIST if something is on `target`, ENOSPC
 * @example
 * ```ts
 * import { checkVolume, formatVolume, memoryHandle, runToEnd, upgradeSteps } from "@cairn/fs/opfs";
 * import { assert } from "@std/assert";
 *
 * const old = memoryHandle();
 * formatVolume(old, { label: "notes" });
 * const made = memoryHandle();
 * assert(runToEnd(upgradeSteps(old, made)).isComplete && checkVolume(made).clean);
 * ```
 */
export function* upgradeSteps(old: StorageHandle, target: StorageHandle): TransferSteps {
  const damage = worstOf(checkVolume(old));
  if (damage !== null) {
    throw new ErrnoError("EIO", "upgrade a volume that is damaged (check it first)", {
      why: damage,
    });
  }
  const report = yield* repairSteps(old, target, { isExact: true });
  const [finding] = report.findings.filter(({ severity }) => severity !== "note");
  if (!report.isComplete) {
    throw new ErrnoError("EIO", "upgrade the volume", {
      why: `${finding?.path ?? ""}: ${finding?.message}`,
    });
  }
  const fault = worstOf(checkVolume(target));
  if (fault !== null) throw new ErrnoError("EIO", "keep the new volume", { why: fault });
  return report;
}

/** What is wrong and cannot be derived, or null. */
function worstOf({ violations }: Report): string | null {
  const worst = violations.find(({ isDerivable }) => !isDerivable);
  return worst === undefined ? null : `${worst.rule}: ${worst.message}`;
}
