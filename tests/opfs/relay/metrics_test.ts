import { assert, assertEquals } from "@std/assert";
import { Metrics, metricsFrom } from "../../../opfs/relay/metrics.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import { PathOp } from "../../../opfs/relay/path_operations.ts";

Deno.test("Metrics sums up by operation and travels as values", () => {
  const metrics = new Metrics();
  metrics.add(Op.READ, { timeMs: 1.5, waitMs: 1, bytes: 10 });
  metrics.add(Op.READ, { timeMs: 0.5, waitMs: 0, bytes: 5 });
  metrics.add(Op.SYNC, { timeMs: 2, waitMs: 2, bytes: 0 });
  metrics.add(4_000_000_000, { timeMs: 1, waitMs: 1, bytes: 1 });
  const want = {
    READ: { count: 2, timeMs: 2, waitMs: 1, bytes: 15 },
    SYNC: { count: 1, timeMs: 2, waitMs: 2, bytes: 0 },
  };
  assertEquals(metrics.snapshot(), want);
  assertEquals(metricsFrom(metrics.values().values), want);
  assertEquals(metricsFrom([]), {});
});

Deno.test("Metrics reports every operation, in as many answers as it takes", () => {
  const metrics = new Metrics();
  const ops = [...Object.values(PathOp), ...Object.values(Op)];
  for (const op of ops) metrics.add(op, { timeMs: 1, waitMs: 0, bytes: op });
  const told: Record<string, unknown> = {};
  let answers = 0;
  for (let after = 0;; answers++) {
    const { values, last } = metrics.values(after);
    assert(values.length <= 255);
    Object.assign(told, metricsFrom(values));
    if (last === 0) break;
    after = last;
  }
  assertEquals(told, metrics.snapshot());
  assertEquals([Object.keys(told).length, answers], [ops.length, Math.ceil(ops.length / 50) - 1]);
  assertEquals(metrics.snapshot()["PATH_READ"]?.bytes, PathOp.READ);
});
