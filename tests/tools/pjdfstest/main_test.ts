/** Counting what the suite's scripts print. */
import { assertEquals } from "@std/assert";
import { count } from "../../../tools/pjdfstest/main.ts";

const stats = { calls: 0, exceptions: {}, faulted: false };

Deno.test("count() takes the plan, less what is to do on Linux", () => {
  const output =
    "1..5\nok 1\nnot ok 2 - tried 'x', expected 0, got EPERM\nok 3 # TODO later\nok 4\n";
  assertEquals(count("open/00.t", output, stats), {
    script: "open/00.t",
    passed: 2,
    total: 4,
    notApplicable: "",
    failures: ["not ok 2 - tried 'x', expected 0, got EPERM"],
  });
});

Deno.test("count() leaves out scripts that skip themselves, and wild pointers", () => {
  assertEquals(count("a.t", "1..1\nok 1\n", stats).notApplicable, "skips itself");
  assertEquals(
    count("a.t", "1..2\nok 1\nok 2\n", { ...stats, faulted: true }).notApplicable,
    "wild pointers",
  );
  assertEquals(count("a.t", "", stats).total, 0);
});
