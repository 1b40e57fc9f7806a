import { assertEquals, assertThrows } from "@std/assert";
import { wholeMessage } from "../../../opfs/relay/channel.ts";
import { Reader, Writer } from "../../../opfs/relay/cursor.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import { createChannelMemory } from "../../../opfs/relay/protocol.ts";
import * as ask from "../../../opfs/relay/requests.ts";
import { writeValues } from "../../../opfs/relay/s11n.ts";

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
