/**
 * The runner of tools/test.ts on small stages of its own.
 */
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { ROOT } from "../../tools/project.ts";
import type { Stage } from "../../tools/stages.ts";
import { describe, runStage, selectStages, summarize } from "../../tools/test.ts";
import { hostCommand } from "../../tools/programs.ts";

function stage(name: string, set: "ok" | "full", program = ""): Stage {
  return { name, set, command: ["eval", program], form: "exit" };
}

const STAGES = [stage("lint", "ok"), stage("unit", "ok"), stage("firefox", "full")];

function namesOf(stages: readonly Stage[]): string[] {
  return stages.map(({ name }) => name);
}

Deno.test("selectStages() takes ok into full, and not the other way round", () => {
  assertEquals(namesOf(selectStages(STAGES, { set: "ok", names: [] })), ["lint", "unit"]);
  assertEquals(namesOf(selectStages(STAGES, { set: "full", names: [] })), namesOf(STAGES));
});

Deno.test("selectStages() takes the named ones and refuses an unknown name", () => {
  assertEquals(namesOf(selectStages(STAGES, { set: "full", names: ["firefox", "lint"] })), [
    "lint",
    "firefox",
  ]);
  assertThrows(
    () => selectStages(STAGES, { set: "ok", names: ["firefox"] }),
    Error,
    `cannot run stage "firefox": there are lint, unit`,
  );
});

Deno.test("runStage() keeps output and status of a program", async () => {
  const good = await runStage(stage("good", "ok", `console.log("said")`));
  assertEquals(good.count, { passed: 1, failed: 0, ignored: 0 });
  assertEquals(good.output.trim(), "said");
  const bad = await runStage(stage("bad", "ok", `console.error("why"); Deno.exit(3)`));
  assertEquals(bad.count.failed, 1);
  assertStringIncludes(bad.output, "why");
});

Deno.test("runStage() ends a stage that hangs", async () => {
  const hang = stage("hang", "ok", `console.log("began"); setInterval(() => {}, 1000)`);
  const { count, output } = await runStage(hang, { timeLimitMs: 1500 });
  assertEquals(count, { passed: 0, failed: 1, ignored: 0 });
  assertMatch(output, /began\n\nstopped after 1.5 s/);
});

Deno.test("runStage() hands out the report file in arguments and variables", async () => {
  const report = `<testsuites tests="2" failures="1" errors="0">`;
  const program = `Deno.writeTextFileSync(Deno.env.get("REPORT"), ${JSON.stringify(report)})`;
  const { count } = await runStage({
    ...stage("counted", "ok", program),
    form: "junit",
    env: { REPORT: "{report}" },
  });
  assertEquals(count, { passed: 1, failed: 1, ignored: 0 });
});

Deno.test("describe() is one line with the time and the reason", () => {
  const count = { passed: 3, failed: 0, ignored: 1 };
  const unit: Stage = { ...stage("unit", "ok"), form: "junit" };
  assertEquals(
    describe(unit, { count, seconds: 1.26 }),
    "ok   unit (1.3 s, 3 passed, 0 failed, 1 ignored)",
  );
  assertMatch(
    describe(stage("x", "ok"), {
      count: { passed: 0, failed: 1, ignored: 0 },
      seconds: 0,
      note: "why",
    }),
    /^FAIL x \(0\.0 s\): why$/,
  );
});

Deno.test("summarize() adds up all suites", () => {
  const counts = [{ passed: 2, failed: 0, ignored: 4 }, { passed: 5, failed: 1, ignored: 0 }];
  assertEquals(summarize(counts), "7 passed, 1 failed");
});

Deno.test("the runner says in one line that a browser is not where its variable says", async () => {
  const command = hostCommand(Deno.execPath(), {
    args: ["run", "-A", "tools/test.ts", "full", "chromium"],
    cwd: ROOT,
    env: { CHROMIUM_BIN: "/no/such/program" },
  });
  const { code, stdout } = await command.output();
  assertEquals(new TextDecoder().decode(stdout).split("\n"), [
    'cannot find Chromium: CHROMIUM_BIN names "/no/such/program", which is not there',
    "FAIL chromium (0.0 s, 0 passed, 1 failed): cannot run without Chromium",
    "0 passed, 1 failed",
    "",
  ]);
  assertEquals(code, 1);
});
