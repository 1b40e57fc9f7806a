/**
 * Requests: what an operation is called in errors, and the errors that come as answers.
 *
 * Layer: relay, on the client's side: the synchronous client and the promises share this. What a
 * request carries is in the rows of `operations.ts`.
 *
 * @module
 */
import { restoreError } from "../../abi/described.ts";
import { codeOf } from "../../abi/errno.ts";
import type { Reader } from "./cursor.ts";
import { Op, type OpName } from "./operations.ts";
import type { ChannelMemory } from "./protocol.ts";
import { readValues } from "./s11n.ts";

/** Names by number, for messages and counters. */
export const OP_NAMES: ReadonlyMap<number, OpName> = new Map(
  Object.entries(Op).map(([name, op]) => [op, name as OpName]),
);

const ACTIONS: readonly string[] = Array.from(
  { length: Op.STATS + 1 },
  (_, op) => `finish "${OP_NAMES.get(op)?.toLowerCase() ?? op}"`,
);

/** What an operation is called in an error of its own transport. */
export function actionOf(op: number): string {
  return ACTIONS[op] ?? "finish a call";
}

/** Throws what the relay has thrown; its action and its reason travel as two s11n strings. */
export function throwAnswered(reader: Reader, memory: ChannelMemory): void {
  if (reader.status >= 0) return;
  const [action, why] = readValues(memory.area, reader).map((text) => String(text) || undefined);
  throw restoreError({ code: codeOf(-reader.status), action, why });
}
