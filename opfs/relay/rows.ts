/**
 * Rows: the table of operations, for the modules that derive something from all rows.
 *
 * Layer: relay, above `operations.ts`. It compares that with the types of `operation.ts`: an
 * incomplete row, and a call of a volume without a row, do not compile here.
 *
 * @module
 */
import type { VolumeOps } from "../volume_ops.ts";
import type { Reader, Writer } from "./cursor.ts";
import type { Payload } from "./exchange.ts";
import type { CallName, CallRow, Kept, Operation, Part } from "./operation.ts";
import { OPERATIONS, type OpName } from "./operations.ts";
import type { ServedChannel } from "./served_channel.ts";

/** A row whose call is not known where it is used. */
export interface AnyRow extends Pick<CallRow, "number" | "part" | "kind" | "changes"> {
  /** The call that it carries. */
  readonly call: CallName;
  /** See `Codec`. */
  ask(writer: Writer, ...args: never[]): Payload | void;
  /** See `Codec`. */
  take(reader: Reader, payload: Payload, received: number): unknown;
  /** See `AnsweringRow`. */
  serve?(volume: VolumeOps, channel: ServedChannel): number;
  /** See `ChangingRow`. */
  readonly fails?: "whole" | "halfway";
  /** See `ForgettingRow`. */
  forgets?(kept: Kept, ...args: never[]): void;
}

// The compiler compares the table with the type of a row here.
const ALL: readonly Operation[] = Object.values(OPERATIONS);

/** Every row of a call. */
export const CALL_ROWS: readonly AnyRow[] = ALL.filter((row) => row.call !== null);

/** Gives `prototype` a method for each row, with the name of the row's call. */
export function defineCalls(
  prototype: object,
  rows: readonly AnyRow[],
  method: (row: AnyRow) => (...args: never[]) => unknown,
): void {
  for (const row of rows) {
    const value = method(row);
    Object.defineProperty(prototype, row.call, { value, writable: true, configurable: true });
  }
}

/** Rows of a part, as a type. */
type RowsOf<P> = Extract<(typeof OPERATIONS)[OpName], { part: P }>;
/** Calls of the interfaces of a part. */
export type CallOf<P extends Part> = RowsOf<P>["call"];
/** Numbers of operations whose bytes may go in chunks. */
export type TransferOp = Extract<(typeof OPERATIONS)[OpName], { kind: "sends" | "fetches" }>[
  "number"
];
/** Calls that a cache forwards: it forgets what their rows say. */
export type ForwardedCall = Exclude<RowsOf<"volume">, { changes: "names" }>["call"];

/** Calls of a volume without a row. The compiler names them here. */
type Unlisted = Exclude<CallName, CallOf<"volume" | "compound" | "locks">>;
const _: [Unlisted] extends [never] ? "each has a row" : Unlisted = "each has a row";
