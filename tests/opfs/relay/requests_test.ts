import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { wholeMessage } from "../../../opfs/relay/channel.ts";
import { Reader, Writer } from "../../../opfs/relay/cursor.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import { createChannelMemory } from "../../../opfs/relay/protocol.ts";
import * as ask from "../../../opfs/relay/requests.ts";
import { writeValues } from "../../../opfs/relay/s11n.ts";

Deno.test("throwAnswered() makes the same error again", () => {
  const memory = createChannelMemory(16_384);
  const answered = (status: number, ...texts: string[]) => {
    const writer = new Writer(memory).beginResponse();
    writer.at = writeValues(texts, memory.area, { at: writer.at, end: 1000 });
    const reader = new Reader(memory);
    reader.openResponse(wholeMessage(writer.endResponse(status)));
    return () => ask.throwAnswered(reader, memory);
  };
  const errorOf = (status: number, ...texts: string[]) => {
    const { code, action, why, message } = assertThrows(answered(status, ...texts), ErrnoError);
    return [code, action, why, message];
  };
  assertEquals(errorOf(-44, 'open "a"', ""), [
    "ENOENT",
    'open "a"',
    undefined,
    'ENOENT: cannot open "a"',
  ]);
  assertEquals(errorOf(-29, "EIO: cannot read it", "V2: block 7"), [
    "EIO",
    "EIO: cannot read it",
    "V2: block 7",
    "EIO: cannot EIO: cannot read it: V2: block 7",
  ]);
  assertEquals(errorOf(-8, "", ""), ["EBADF", undefined, undefined, "EBADF"]);
  assertEquals(errorOf(-8), ["EBADF", undefined, undefined, "EBADF"]);
  assertThrows(answered(-9999, "strange"), Error, "EIO");
  answered(3, "nothing")();
});

Deno.test("actionOf() names every operation", () => {
  assertEquals(ask.actionOf(Op.READ), 'finish "read"');
  assertEquals(ask.actionOf(Op.STATS), 'finish "stats"');
  assertEquals(ask.actionOf(1e9), "finish a call");
});
