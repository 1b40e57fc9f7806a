import { assertEquals, assertThrows } from "@std/assert";
import { wholeMessage } from "../../../opfs/relay/channel.ts";
import { Reader, Writer } from "../../../opfs/relay/cursor.ts";
import { createChannelMemory, MAX_TRANSFER_BYTES, Op } from "../../../opfs/relay/protocol.ts";
import * as ask from "../../../opfs/relay/requests.ts";
import { writeValues } from "../../../opfs/relay/s11n.ts";

/** Stands for a buffer too large to be made in a test. */
function pretend(length: number): Uint8Array {
  const cut = (from: number, to: number) => pretend(to - from);
  return Object.defineProperties(new Uint8Array(0), {
    length: { value: length },
    subarray: { value: cut },
  });
}

Deno.test("askRead(), askWrite() and askAppend() cut at the longest transfer", () => {
  const memory = createChannelMemory(16_384);
  const writer = new Writer(memory);
  assertEquals(ask.askWrite(writer, 1, pretend(2 ** 32), 0).length, MAX_TRANSFER_BYTES);
  assertEquals(ask.askRead(writer, 1, pretend(2 ** 32), 0).length, MAX_TRANSFER_BYTES);
  assertEquals(ask.askRead(writer, 1, pretend(MAX_TRANSFER_BYTES), 0).length, MAX_TRANSFER_BYTES);
  assertEquals(ask.askAppend(writer, 1, pretend(2 ** 32)).length, MAX_TRANSFER_BYTES);
  assertEquals(ask.askAppend(writer, 1, pretend(5)).length, 5);
});

Deno.test("throwAnswered() makes the same error again", () => {
  const memory = createChannelMemory(16_384);
  const answered = (status: number, text: string) => {
    const writer = new Writer(memory).beginResponse();
    writer.at = writeValues([text], memory.area, { at: writer.at, end: 1000 });
    const reader = new Reader(memory);
    reader.openResponse(wholeMessage(writer.endResponse(status)));
    return () => ask.throwAnswered(reader, memory);
  };
  assertThrows(answered(-44, 'ENOENT: cannot open "a"'), Error, 'ENOENT: cannot open "a"');
  assertThrows(answered(-29, "V2: block 7"), Error, "EIO: cannot V2: block 7");
  assertThrows(answered(-9999, "strange"), Error, "EIO");
  answered(3, "nothing")();
});

Deno.test("actionOf() names every operation", () => {
  assertEquals(ask.actionOf(Op.READ), 'finish "read"');
  assertEquals(ask.actionOf(Op.STATS), 'finish "stats"');
  assertEquals(ask.actionOf(1e9), "finish a call");
});
