/**
 * Bytes in blocks that have a sum of their own: targets of links, values of attributes.
 *
 * Layer: opfs/volume, bottom, over `page_sum.ts`. A target's sum is in the four bytes after it,
 * a value's in its slot. They are looked at when they are read: one turned bit is put right, for
 * more the call answers EIO.
 *
 * @module
 */
import { invariant } from "../../../abi/invariant.ts";
import * as L from "../format/layout.ts";
import { isUtf8 } from "../format/names.ts";
import { pageSum, putRight, type Verdict } from "../format/page_sum.ts";
import { DamageError } from "../format/report.ts";

/** A target, followed by its sum. */
export function withSum(target: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(target.length + L.SUM_BYTES);
  bytes.set(target);
  new DataView(bytes.buffer).setUint32(target.length, pageSum(target), L.LE);
  return bytes;
}

/** What the sum after a target says of it; a turned bit of the target is turned back. */
export function judgeTarget(bytes: Uint8Array): { target: Uint8Array; verdict: Verdict } {
  const length = bytes.length - L.SUM_BYTES;
  invariant(length >= 0, "V16: a target and its sum in {} bytes", bytes.length);
  const target = bytes.subarray(0, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { target, verdict: putRight(target, view.getUint32(length, L.LE)) };
}

/**
 * A target without the sum that follows it.
 *
 * @throws {ErrnoError} EIO
 */
export function withoutSum(bytes: Uint8Array<ArrayBuffer>, what: string): Uint8Array<ArrayBuffer> {
  const { verdict } = judgeTarget(bytes);
  requireVerdict(verdict, what);
  return bytes.slice(0, bytes.length - L.SUM_BYTES);
}

/**
 * The target in the first bytes of a link's blocks, when its size may be wrong: the one that its sum
 * says, however long it is; null if no size matches.
 */
export function findTarget(bytes: Uint8Array, size: number): Uint8Array | null {
  const most = Math.min(L.TARGET_BYTES_MAX, bytes.length - L.SUM_BYTES);
  if (Number.isInteger(size) && size > 0 && size <= most) {
    const { target, verdict } = judgeTarget(bytes.slice(0, size + L.SUM_BYTES));
    // A target followed by its sum, and zeros, has the sum 0 itself: such a size is wrong.
    if (verdict !== "wrong" && isUtf8(target) && !target.includes(0)) return target;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let length = 1; length <= most; length++) {
    if (pageSum(bytes, 0, length) === view.getUint32(length, L.LE)) return bytes.slice(0, length);
  }
  return null;
}

/**
 * Stops unless bytes are what their sum says, one bit apart.
 *
 * @throws {ErrnoError} EIO
 */
export function requireRight(bytes: Uint8Array, sum: number, what: string): void {
  requireVerdict(putRight(bytes, sum), what);
}

function requireVerdict(verdict: Verdict, what: string): void {
  if (verdict !== "wrong") return;
  throw new DamageError("V16", "it is not what its sum says", `read ${what}`);
}
