/**
 * Dispatch: what the relay knows of an operation by its number.
 *
 * Layer: relay, between `server.ts` and the rows of `operations.ts` and `path_operations.ts`. Arrays
 * by number, so that a request costs a load and not a search. A number that has no row is ENOSYS.
 *
 * Use: `const status = dispatch(volume, channel)`.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { largest } from "../../abi/lists.ts";
import type { VolumeOps } from "../volume_ops.ts";
import type { Kind } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";
import { type AnyRow, CALL_ROWS } from "./rows.ts";
import { PATH_OPERATIONS } from "./path_operations.ts";
import type { ServedChannel } from "./served_channel.ts";

const ROWS = Object.values(OPERATIONS);
const HIGHEST = largest(ROWS.map(({ number }) => number));

const KINDS: (Kind | null)[] = Array.from({ length: HIGHEST + 1 }, () => null);
const CHANGES = new Uint8Array(HIGHEST + 1);
/** Operations by path that change something have several steps. */
const HALFWAY = new Uint8Array(HIGHEST + 1);
const SERVE: (AnyRow["serve"] | null)[] = Array.from({ length: HIGHEST + 1 }, () => null);
for (const { number, kind, changes } of ROWS) {
  KINDS[number] = kind;
  CHANGES[number] = Number(changes !== "nothing");
}
for (const { number, serve, fails } of CALL_ROWS) {
  SERVE[number] = serve ?? null;
  HALFWAY[number] = Number(fails === "halfway");
}
for (const { number, kind, changes } of Object.values(PATH_OPERATIONS)) {
  KINDS[number] = kind;
  CHANGES[number] = HALFWAY[number] = Number(changes);
}

/** How an operation is served; null for an unknown number. */
export function kindOf(op: number): Kind | null {
  return op <= HIGHEST ? KINDS[op]! : null;
}

/** Whether an operation changes a name or an attribute that another client may have cached. */
export function changesSomething(op: number): boolean {
  return CHANGES[op] === 1;
}

/** Whether an operation that has failed may have changed something. */
export function mayFailHalfway(op: number): boolean {
  return HALFWAY[op] === 1;
}

/**
 * Serves an operation of one piece: leaves its answer in the channel's writer, returns the status.
 */
export function dispatch(volume: VolumeOps, channel: ServedChannel): number {
  const { op } = channel.reader;
  const serve = op <= HIGHEST ? SERVE[op] : null;
  if (!serve) throw new ErrnoError("ENOSYS", `serve operation ${op}`);
  return serve(volume, channel);
}
