/**
 * What import and export have in common.
 */
import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  Findings,
  FINDINGS_MAX,
  namesIn,
  noCounts,
  type Progress,
  reportOf,
  runToEnd,
  TransferClock,
  type TransferReport,
} from "../../../../opfs/volume/upkeep/transfer.ts";
import { ModelVolume } from "../../../support/model_volume.ts";

Deno.test("Findings keeps a bounded number, counts all, and never crowds out a refusal", () => {
  const findings = new Findings();
  for (let index = 0; index < FINDINGS_MAX + 5; index++) {
    findings.add({ code: "x", severity: "note", message: `${index}` });
  }
  assert(findings.isComplete);
  findings.add({ code: "y", severity: "refused", message: "stop" });
  findings.add({ code: "z", severity: "refused", message: "stop again" });
  assertEquals(findings.list.length, FINDINGS_MAX);
  assertEquals(findings.count("note"), FINDINGS_MAX + 5);
  assertEquals(findings.list.filter((one) => one.severity === "refused").length, 1);
  assertEquals(findings.dropped, 7);
  assertFalse(findings.isComplete);
});

Deno.test("Findings are complete with notes only", () => {
  for (const severity of ["changed", "lost", "refused"] as const) {
    const findings = new Findings();
    findings.add({ code: "x", severity, message: "" });
    assertFalse(findings.isComplete, severity);
    assertFalse(reportOf(noCounts(), findings).isComplete);
  }
});

Deno.test("Findings keeps the beginning of endless paths and messages", () => {
  const findings = new Findings();
  const long = "x".repeat(70_000);
  findings.add({ code: "x", severity: "note", message: long, path: long, slot: 3 });
  findings.add({ code: "x", severity: "note", message: long });
  const [one, two] = findings.list;
  const clipped = `${"x".repeat(1024)}…`;
  assertEquals(one, { code: "x", severity: "note", message: clipped, path: clipped, slot: 3 });
  assertEquals(two, { code: "x", severity: "note", message: clipped });
});

Deno.test("runToEnd() takes every step and returns the report", () => {
  const report = reportOf(noCounts(), new Findings());
  function* steps(): Generator<Progress, TransferReport, void> {
    yield { doneBytes: 1, totalBytes: 2 };
    yield { doneBytes: 2, totalBytes: 2 };
    return report;
  }
  const seen: number[] = [];
  assertEquals(runToEnd(steps(), ({ doneBytes }) => void seen.push(doneBytes)), report);
  assertEquals(seen, [1, 2]);
});

Deno.test("TransferClock reads what it was set to, also detached", () => {
  const clock = new TransferClock();
  const { read } = clock;
  clock.nowMs = -1.5;
  assertEquals(read(), -1.5);
});

Deno.test("namesIn() takes a directory that comes in pieces", () => {
  const volume = new ModelVolume();
  const names = Array.from({ length: 250 }, (_, index) => `n${index}`);
  for (const name of names) volume.create(volume.root, name, { mode: 0o100644, uid: 0, gid: 0 });
  assertEquals(namesIn(volume, volume.root), names);
});

Deno.test("Findings.namePaths() names what has a slot alone, and cuts long paths", () => {
  const findings = new Findings();
  findings.add({ code: "a", severity: "lost", message: "m", slot: 1 });
  findings.add({ code: "b", severity: "lost", message: "m", slot: 2 });
  findings.add({ code: "c", severity: "lost", message: "m", slot: 3, path: "/said" });
  findings.add({ code: "d", severity: "lost", message: "m" });
  findings.namePaths((slot) => slot === 2 ? undefined : `/${"x".repeat(5000)}`);
  const paths = findings.list.map(({ path }) => path);
  assertEquals(paths.map((path) => path === undefined ? 0 : path.length < 2000 ? 1 : 2), [
    1,
    0,
    1,
    0,
  ]);
  assertEquals([paths[2], findings.count("lost")], ["/said", 4]);
});
