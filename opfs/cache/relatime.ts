/**
 * The rule by which a read moves atime, as the engine has it: once after a change, and once a day.
 *
 * Layer: opfs/cache, part of `../cache.ts`, which answers a read itself only where it moves nothing.
 *
 * @module
 */
import type { Attr } from "../../abi/attr.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Whether a read at `nowMs` moves atime. Of unknown attributes nobody can say: it may. */
export function movesAccess(attr: Attr | undefined, nowMs: number): boolean {
  if (attr === undefined) return true;
  const { atime, mtime, ctime } = attr;
  return atime <= mtime || atime <= ctime || nowMs - atime >= DAY_MS;
}
