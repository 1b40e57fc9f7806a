/** Counts and their report. */
import { assertEquals } from "@std/assert";
import { noCounts, reportOf } from "../../../cli/shared/counts.ts";
import { Findings } from "../../../opfs/mod.ts";

Deno.test("reportOf() has what was counted and what was found", () => {
  const findings = new Findings();
  const counts = { ...noCounts(), files: 2, bytes: 5 };
  assertEquals(reportOf(counts, findings).isComplete, true);
  findings.add({ code: "x", severity: "lost", message: "gone" });
  const report = reportOf(counts, findings);
  assertEquals([report.isComplete, report.files, report.bytes, report.special], [false, 2, 5, 0]);
  assertEquals([report.findings.length, report.droppedFindings], [1, 0]);
});

Deno.test("noCounts() is a new one each time", () => {
  noCounts().files++;
  assertEquals(noCounts().files, 0);
});
