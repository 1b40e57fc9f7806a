import { assertEquals, assertThrows } from "@std/assert";
import { Channel, wholeMessage } from "../../../opfs/relay/channel.ts";
import { changesSomething, dispatch, kindOf } from "../../../opfs/relay/dispatch.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import { PathOp } from "../../../opfs/relay/path_operations.ts";
import { createChannelMemory } from "../../../opfs/relay/protocol.ts";
import { ServedChannel } from "../../../opfs/relay/served_channel.ts";
import { ModelVolume } from "../../support/model_volume.ts";

function rig() {
  const volume = new ModelVolume();
  const memory = createChannelMemory(16_384);
  const served = new ServedChannel(memory.buffer);
  const { writer } = new Channel(memory, new Doorbell());
  const run = (fill: () => number) => {
    served.reader.openRequest(wholeMessage(fill()));
    return dispatch(volume, served);
  };
  return { volume, served, writer, run };
}

Deno.test("dispatch() answers unknown numbers with ENOSYS", () => {
  const { writer, run } = rig();
  for (const op of [0, 1, 34, 63, 127, 4_000_000_000]) {
    assertThrows(() => run(() => writer.begin(op).end()), Error, "ENOSYS");
  }
});

Deno.test("changesSomething() knows what others must hear of", () => {
  const changing = Object.entries(Op).filter(([, op]) => changesSomething(op));
  assertEquals(changing.map(([name]) => name), [
    "CREATE",
    "LINK",
    "UNLINK",
    "RMDIR",
    "RENAME",
    "SETATTR",
    "WRITE",
    "APPEND",
    "ALLOCATE",
    "SETXATTR",
    "REMOVEXATTR",
    "CREATE_RETAIN",
    "STORE",
  ]);
});

Deno.test("kindOf() has an answer for every number", () => {
  assertEquals([Op.READ, Op.SETXATTR, Op.LOCK, Op.SYNC, Op.STATS, Op.GETATTR].map(kindOf), [
    "fetches",
    "sends",
    "locks",
    "commits",
    "tells",
    "answers",
  ]);
  assertEquals([PathOp.READDIR, PathOp.FSYNC, PathOp.STAT].map(kindOf), [
    "fetches",
    "commits",
    "answers",
  ]);
  for (const op of [0, 35, 63, 95, 127, 130, 4_000_000_000]) assertEquals(kindOf(op), null);
});
