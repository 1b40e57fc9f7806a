import { assert, assertEquals } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { Channel, wholeMessage } from "../../../opfs/relay/channel.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import { Closed, createChannelMemory, Word } from "../../../opfs/relay/protocol.ts";
import { throwAnswered } from "../../../opfs/relay/requests.ts";
import { ServedChannel } from "../../../opfs/relay/served_channel.ts";

function pair() {
  const memory = createChannelMemory(16_384);
  const served = new ServedChannel(memory.buffers);
  const channel = new Channel(memory, new Doorbell());
  channel.publish(wholeMessage(channel.writer.begin(Op.SYNC).end()));
  return { memory, served, channel };
}

Deno.test("ServedChannel sees a request once, and answers it once", () => {
  const { served, channel } = pair();
  assert(served.hasRequest());
  served.take();
  assert(!served.hasRequest());
  assert(!channel.isAnswered());
  served.writer.beginResponse();
  served.answer(5);
  assert(channel.isAnswered());
});

Deno.test("ServedChannel writes nothing for a client that has closed, or sent again", () => {
  const closed = pair();
  closed.served.take();
  closed.channel.close();
  closed.served.writer.beginResponse();
  closed.served.answer(0);
  assertEquals(closed.memory.words[Word.ANSWER], 0);
  const hasty = pair();
  hasty.served.take();
  Atomics.add(hasty.memory.words, Word.REQUEST, 1);
  hasty.served.writer.beginResponse();
  hasty.served.answer(0);
  assertEquals([hasty.memory.words[Word.ANSWER], hasty.memory.words[Word.CLOSED]], [0, Closed.BAD]);
});

Deno.test("ServedChannel.answerError() fits any error into the area", () => {
  const errors: [unknown, string][] = [
    [new ErrnoError("EPERM", "x".repeat(100_000)), "EPERM: cannot xxx"],
    [new ErrnoError("EPERM", "文".repeat(2000)), "EPERM: cannot 文"],
    [new ErrnoError("ENOENT", `open "a\ud800"`), 'ENOENT: cannot open "a\ufffd"'],
    [new TypeError("a bug"), "EIO: cannot a bug"],
    ["thrown text", "EIO: cannot thrown text"],
    [undefined, "EIO: cannot undefined"],
  ];
  for (const [error, text] of errors) {
    const { served, channel } = pair();
    served.take();
    served.answerError(error);
    channel.wait("test");
    channel.reader.openResponse(channel.header);
    let message = "";
    try {
      throwAnswered(channel.reader, channel.memory);
    } catch (thrown) {
      message = (thrown as Error).message;
    }
    assertEquals(message.slice(0, text.length), text);
  }
});
