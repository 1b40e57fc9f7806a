import { assertEquals } from "@std/assert";
import { Metrics, metricsFrom } from "../../../opfs/relay/metrics.ts";
import { Op } from "../../../opfs/relay/protocol.ts";

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
  assertEquals(metricsFrom(metrics.values()), want);
  assertEquals(metricsFrom([]), {});
});
