import { assertEquals, assertThrows } from "@std/assert";
import { Reader, Writer } from "../../../opfs/relay/cursor.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import { createChannelMemory } from "../../../opfs/relay/protocol.ts";
import { wholeMessage } from "../../../opfs/relay/channel.ts";

Deno.test("Reader takes what Writer put, in any order of path and data", () => {
  const memory = createChannelMemory(16_384);
  const ino = 0xffffffff + (2 ** 21 - 1) * 2 ** 32;
  const writer = new Writer(memory).begin(Op.CREATE, 5).path("né").ino(ino).f64(-0.5).u32(
    2 ** 32 - 1,
  );
  const total = writer.shortText("short").text("rest").end();
  const reader = new Reader(memory);
  reader.openRequest(wholeMessage(total));
  assertEquals([reader.op, reader.flags, reader.path()], [Op.CREATE, 5, "né"]);
  assertEquals([reader.ino(), reader.f64(), reader.u32()], [ino, -0.5, 2 ** 32 - 1]);
  assertEquals([reader.path(), reader.shortText(), reader.text()], ["né", "short", "rest"]);
  assertThrows(() => reader.u32(), Error, "EPROTO");
});

Deno.test("Writer counts a payload that stands elsewhere", () => {
  const memory = createChannelMemory(16_384);
  const total = new Writer(memory).begin(Op.WRITE).ino(1).f64(0).end(1_000_000);
  assertEquals(total, 16 + 16 + 1_000_000);
  const reader = new Reader(memory);
  reader.openRequest({ signal: 1, chunkBytes: 16_384, totalBytes: total, chunkIndex: 0 });
  assertEquals([reader.ino(), reader.f64(), reader.payloadBytes()], [1, 0, 1_000_000]);
  assertEquals(reader.end - reader.at, 16_384 - 32);
});

Deno.test("Reader.openResponse() refuses lengths that contradict each other", () => {
  const memory = createChannelMemory(16_384);
  const total = new Writer(memory).beginResponse().u32(1).endResponse(7);
  const reader = new Reader(memory);
  reader.openResponse(wholeMessage(total));
  assertEquals([reader.status, reader.u32(), reader.at === reader.end], [7, 1, true]);
  for (const bytes of [0, 7, total - 1, total + 1, 20_000]) {
    assertThrows(() => reader.openResponse(wholeMessage(bytes)), Error, "EPROTO");
  }
});
