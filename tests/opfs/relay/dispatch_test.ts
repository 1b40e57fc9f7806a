import { assertEquals, assertThrows } from "@std/assert";
import { Channel, wholeMessage } from "../../../opfs/relay/channel.ts";
import {
  changesSomething,
  dispatch,
  kindOf,
  mayFailHalfway,
} from "../../../opfs/relay/dispatch.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import { Op, OPERATIONS } from "../../../opfs/relay/operations.ts";
import { PATH_OPERATIONS, PathOp } from "../../../opfs/relay/path_operations.ts";
import { createChannelMemory } from "../../../opfs/relay/protocol.ts";
import { CALL_ROWS } from "../../../opfs/relay/rows.ts";
import { ServedChannel } from "../../../opfs/relay/served_channel.ts";
import { ModelVolume } from "../../support/model_volume.ts";

function rig() {
  const volume = new ModelVolume();
  const memory = createChannelMemory(16_384);
  const served = new ServedChannel(memory.buffers);
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

Deno.test("changesSomething() says what the rows say, whose truth is in rows_test.ts", () => {
  for (const { number, changes } of Object.values(OPERATIONS)) {
    assertEquals(changesSomething(number), changes !== "nothing");
  }
  assertEquals([Op.READ, Op.WRITE, Op.CREATE, 95, 4_000_000_000].map(changesSomething), [
    false,
    true,
    true,
    false,
    false,
  ]);
});

Deno.test("mayFailHalfway() says what the rows say, and yes for each path's call that changes", () => {
  for (const row of CALL_ROWS) assertEquals(mayFailHalfway(row.number), row.fails === "halfway");
  for (const { number, changes } of Object.values(PATH_OPERATIONS)) {
    assertEquals(mayFailHalfway(number), changes);
  }
  assertEquals([Op.METRICS, 95, 4_000_000_000].map(mayFailHalfway), [false, false, false]);
});

Deno.test("kindOf() has an answer for every number", () => {
  assertEquals([Op.READ, Op.SETXATTR, Op.LOCK, Op.SYNC, Op.STATS, Op.GETATTR].map(kindOf), [
    "fetches",
    "sends",
    "locks",
    "commits",
    "reports",
    "answers",
  ]);
  assertEquals([PathOp.READDIR, PathOp.FSYNC, PathOp.STAT].map(kindOf), [
    "fetches",
    "commits",
    "answers",
  ]);
  for (const op of [0, 35, 63, 95, 127, 130, 4_000_000_000]) assertEquals(kindOf(op), null);
});
