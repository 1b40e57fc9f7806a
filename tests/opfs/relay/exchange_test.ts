import { assertEquals, assertThrows } from "@std/assert";
import { Channel } from "../../../opfs/relay/channel.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import { Exchange } from "../../../opfs/relay/exchange.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import { createChannelMemory, Signal, Word, writeHeader } from "../../../opfs/relay/protocol.ts";

/** An exchange whose other side is played by the test. */
function played() {
  const memory = createChannelMemory(16_384);
  const channel = new Channel(memory, new Doorbell());
  const exchange = new Exchange(channel);
  const answer = (signal: number, chunkBytes: number, chunkIndex = 0, totalBytes = chunkBytes) => {
    writeHeader(memory.words, { signal, chunkBytes, totalBytes, chunkIndex });
    Atomics.store(memory.words, Word.ANSWER, memory.words[Word.REQUEST]!);
    channel.wait("test");
    return () => exchange.step();
  };
  return { memory, channel, exchange, answer };
}

Deno.test("Exchange sends a payload in chunks and stops when it is answered early", () => {
  const { memory, channel, exchange, answer } = played();
  const from = Uint8Array.from({ length: 40_000 }, (_, index) => index % 253);
  channel.writer.begin(Op.WRITE).ino(1).f64(0);
  exchange.start({ from });
  const { words, area } = memory;
  assertEquals([words[Word.SIGNAL], words[Word.CHUNK_LEN], words[Word.TOTAL_LOW]], [
    1,
    16_384,
    40_032,
  ]);
  assertEquals(answer(Signal.CHUNK_ACK, 0)(), false);
  assertEquals([words[Word.SIGNAL], words[Word.CHUNK_LEN], words[Word.CHUNK_INDEX]], [
    3,
    16_384,
    1,
  ]);
  assertEquals(area[0], from[16_384 - 32]);
  new DataView(area.buffer, area.byteOffset).setInt32(0, 20_000, true);
  new DataView(area.buffer, area.byteOffset).setInt32(4, 0, true);
  assertEquals(answer(Signal.RESPONSE, 8)(), true);
  assertEquals(channel.reader.status, 20_000);
});

Deno.test("Exchange closes the channel of a relay that breaks the protocol", () => {
  const breaks: [number, number, number][] = [
    [Signal.CHUNK_ACK, 0, 0],
    [Signal.RESPONSE, 8, 1],
    [Signal.RESPONSE, 99_999, 0],
    [Signal.REQUEST, 16, 0],
    [77, 8, 0],
  ];
  for (const [signal, chunkBytes, chunkIndex] of breaks) {
    const { channel, exchange, answer } = played();
    channel.writer.begin(Op.SYNC);
    exchange.start();
    assertThrows(answer(signal, chunkBytes, chunkIndex), Error, "EPROTO");
    assertThrows(() => channel.assertOpen("go on"), Error, "EIO");
  }
});

Deno.test("Exchange takes no more than the caller's buffer holds", () => {
  const { memory, channel, exchange, answer } = played();
  const into = new Uint8Array(4);
  channel.writer.begin(Op.READ).ino(1).f64(0).u32(4);
  exchange.start({ into });
  memory.area.fill(0).fill(9, 8, 20);
  memory.area[4] = 12;
  assertEquals(answer(Signal.RESPONSE, 20)(), true);
  assertEquals([exchange.received, [...into]], [4, [9, 9, 9, 9]]);
});
