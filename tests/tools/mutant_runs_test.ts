/**
 * Test runs that always end, of tools/mutant_runs.ts: one that passes, fails, loops and waits.
 */
import { assert, assertEquals } from "@std/assert";
import { TestRuns } from "../../tools/mutant_runs.ts";

/** Runs a test with this body. */
async function outcomeOf(body: string, seconds = 20): Promise<string> {
  const root = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${root}/x_test.ts`, `Deno.test("x", async () => { ${body} });`);
  const { outcome } = await new TestRuns(root).run(["x_test.ts"], { seconds });
  Deno.removeSync(root, { recursive: true });
  return outcome;
}

Deno.test("a run says whether its tests passed", async () => {
  assertEquals(await outcomeOf("await 0;"), "passed");
  assertEquals(await outcomeOf("throw 0;"), "failed");
});

Deno.test("a run that loops for ever is stopped when its time of the processor is used up", async () => {
  assertEquals(await outcomeOf("for (;;);", 2), "stopped");
});

Deno.test("a run that waits for ever is stopped by the caller", async () => {
  const root = Deno.makeTempDirSync();
  const body = "await new Promise((done) => setTimeout(done, 3600_000));";
  Deno.writeTextFileSync(`${root}/x_test.ts`, `Deno.test("x", async () => { ${body} });`);
  const runs = new TestRuns(root);
  const run = runs.run(["x_test.ts"], { seconds: 20 });
  setTimeout(() => runs.stop(), 200);
  assertEquals((await run).outcome, "stopped");
  runs.stop();
  Deno.removeSync(root, { recursive: true });
});

Deno.test("temporary files of tests go into the checkout's own folder", async () => {
  const body = `if (!Deno.makeTempDirSync().includes(".temporary/")) throw 0;`;
  assertEquals(await outcomeOf(body), "passed");
});

Deno.test("a run stops at the first test that fails", async () => {
  const root = Deno.makeTempDirSync();
  const second = `Deno.test("y", () => Deno.writeTextFileSync("${root}/late", ""));`;
  Deno.writeTextFileSync(`${root}/x_test.ts`, `Deno.test("x", () => { throw 0; });\n${second}`);
  await new TestRuns(root).run(["x_test.ts"], { seconds: 20 });
  assert(![...Deno.readDirSync(root)].some(({ name }) => name === "late"));
  Deno.removeSync(root, { recursive: true });
});
