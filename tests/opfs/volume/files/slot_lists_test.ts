import { assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../../../abi/invariant.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { openVolumeSync } from "../../../../opfs/volume/load/mount.ts";
import { joinSet, leaveSet, removeFrom } from "../../../../opfs/volume/files/slot_lists.ts";
import { stateOf } from "../../../support/engine_state.ts";

Deno.test("joinSet() and leaveSet() are undone with their step", () => {
  const volume = openVolumeSync(memoryHandle());
  const state = stateOf(volume);
  const set = new Set([1, 2]);
  const stop = new RangeError("stop");
  assertThrows(() =>
    state.step(() => {
      joinSet(state, set, 3);
      leaveSet(state, set, 1);
      leaveSet(state, set, 99);
      assertEquals([...set], [2, 3]);
      throw stop;
    })
  );
  assertEquals([...set].sort(), [1, 2]);
});

Deno.test("removeFrom() says where the slot was, and ends a list with its last one", () => {
  const lists = new Map([[7, [1, 2, 3]]]);
  assertEquals(removeFrom(lists, 7, 2), 1);
  assertEquals(removeFrom(lists, 7, 1), 0);
  assertThrows(() => removeFrom(lists, 7, 9), InvariantError, "V4");
  assertEquals(removeFrom(lists, 7, 3), 0);
  assertEquals(lists.size, 0);
});
