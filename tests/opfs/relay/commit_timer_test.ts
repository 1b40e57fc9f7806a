import { assert, assertEquals } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { type CommitTimerOptions, startCommitTimer } from "../../../opfs/relay/commit_timer.ts";
import { ModelVolume } from "../../support/model_volume.ts";

/** How often a volume is synced in a tenth of a second. */
async function syncsOf(
  options: CommitTimerOptions,
  fails?: "EIO" | "EROFS" | "ENOSPC",
): Promise<number> {
  const volume = new ModelVolume();
  let count = 0;
  volume.sync = () => {
    count += 1;
    if (fails !== undefined) throw new ErrnoError(fails, "sync");
  };
  const stop = startCommitTimer(volume, options);
  await new Promise((resolve) => setTimeout(resolve, 100));
  stop();
  const before = count;
  await new Promise((resolve) => setTimeout(resolve, 30));
  assertEquals(count, before);
  return count;
}

Deno.test("startCommitTimer() syncs by and by, unless an option forbids it", async () => {
  assert(await syncsOf({ commitIntervalMs: 10 }) >= 3);
  assertEquals(await syncsOf({ commitIntervalMs: 10, durability: "fsync" }), 0);
  assertEquals(await syncsOf({ commitIntervalMs: 10, durability: "op" }), 0);
  assertEquals(await syncsOf({ commitIntervalMs: 10, readOnly: true }), 0);
  assertEquals(await syncsOf({}), 0, "five seconds are not over");
});

Deno.test("startCommitTimer() stops at a volume that has failed", async () => {
  assertEquals(await syncsOf({ commitIntervalMs: 10 }, "EIO"), 1);
  assertEquals(await syncsOf({ commitIntervalMs: 10 }, "EROFS"), 1);
});

Deno.test("startCommitTimer() goes on when the device was full", async () => {
  assert(await syncsOf({ commitIntervalMs: 10 }, "ENOSPC") >= 3);
});

Deno.test("startCommitTimer() takes an interval longer than a timer can be for a long one", async () => {
  for (const commitIntervalMs of [2 ** 31, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
    assertEquals(await syncsOf({ commitIntervalMs }), 0, String(commitIntervalMs));
  }
});
