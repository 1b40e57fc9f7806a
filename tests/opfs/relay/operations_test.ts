/** The codec of the rows, as far as golden bytes do not show it: the longest payloads. */
import { assertEquals, assertThrows } from "@std/assert";
import { Writer } from "../../../opfs/relay/cursor.ts";
import { Op, OPERATIONS } from "../../../opfs/relay/operations.ts";
import {
  createChannelMemory,
  MAX_TRANSFER_BYTES,
  VALUE_BYTES_MAX,
} from "../../../opfs/relay/protocol.ts";

/** Stands for a buffer too large to be made in a test. */
function pretend(length: number): Uint8Array {
  const cut = (from: number, to: number) => pretend(to - from);
  return Object.defineProperties(new Uint8Array(0), {
    length: { value: length },
    subarray: { value: cut },
  });
}

Deno.test("READ, WRITE, APPEND and STORE cut at the longest transfer", () => {
  const { READ, WRITE, APPEND, STORE } = OPERATIONS;
  const writer = new Writer(createChannelMemory(16_384));
  const begin = (op: number) => writer.begin(op);
  const huge = pretend(2 ** 32);
  const longest = pretend(MAX_TRANSFER_BYTES);
  const made = { mode: 0o644, uid: 0, gid: 0 };
  assertEquals(WRITE.ask(begin(Op.WRITE), 1, huge, 0).from!.length, MAX_TRANSFER_BYTES);
  assertEquals(READ.ask(begin(Op.READ), 1, huge, 0).into!.length, MAX_TRANSFER_BYTES);
  assertEquals(READ.ask(begin(Op.READ), 1, longest, 0).into!.length, MAX_TRANSFER_BYTES);
  assertEquals(APPEND.ask(begin(Op.APPEND), 1, huge).from!.length, MAX_TRANSFER_BYTES);
  assertEquals(APPEND.ask(begin(Op.APPEND), 1, pretend(5)).from!.length, 5);
  const stored = STORE.ask(begin(Op.STORE), 1, "f", made, huge);
  assertEquals(stored.from!.length, MAX_TRANSFER_BYTES);
});

Deno.test("SETXATTR refuses what no attribute can hold before anything is sent", () => {
  const writer = new Writer(createChannelMemory(16_384));
  const ask = (size: number) =>
    OPERATIONS.SETXATTR.ask(writer.begin(Op.SETXATTR), 1, "user.a", new Uint8Array(size), 0);
  assertEquals(ask(VALUE_BYTES_MAX).from!.length, VALUE_BYTES_MAX);
  assertThrows(() => ask(VALUE_BYTES_MAX + 1), Error, "E2BIG");
});

Deno.test("rows stand in the order of their numbers, as counters travel", () => {
  const numbers = Object.values(OPERATIONS).map(({ number }) => number);
  assertEquals(numbers, numbers.toSorted((a, b) => a - b));
  assertEquals(Object.values<number>(Op), numbers);
});
