/**
 * Counts the steps of every row at a size and at four times that; prints JSON, a list of `Measured`. The
 * word says what: a backend of `world.ts`, `verbs`, or `square`, the control.
 */
import { ROWS } from "./calls.ts";
import { StepCounter } from "./steps.ts";
import { measureVerbs } from "./verbs.ts";
import { makeWorld, ROOTS, type World } from "./world.ts";

/** How many steps a row took. */
export interface Measured {
  name: string;
  small: number;
  large: number;
}

const COUNT = 100;

async function measureCalls(counter: StepCounter, backend: string): Promise<Measured[]> {
  const worlds = [COUNT, 4 * COUNT].map((count) => makeWorld(ROOTS[backend]!(), count));
  const measured: Measured[] = [];
  for (const { calls, step, whole } of ROWS) {
    const run = (world: World): void => {
      whole?.(world);
      for (let index = 0; step !== undefined && index < world.count; index++) step(world, index);
    };
    const steps: number[] = [];
    for (const world of worlds) {
      // What comes now and then, as a checkpoint, is in one of them and not in the least.
      const rounds: number[] = [];
      for (let round = 0; round < 4; round++) rounds.push(await counter.count(() => run(world)));
      steps.push(Math.min(...rounds));
    }
    measured.push({ name: calls.join(", "), small: steps[0]!, large: steps[1]! });
  }
  const [small = 0, large = 0] = [
    await counter.count(() => worlds[0]!.fs.quit()),
    await counter.count(() => worlds[1]!.fs.quit()),
  ];
  return [...measured, { name: "quit", small, large }];
}

/** A walk through a directory for each of its names, which must be seen; so many that a call's own cost is little. */
async function measureSquare(counter: StepCounter): Promise<Measured[]> {
  const steps: number[] = [];
  for (const count of [4 * COUNT, 16 * COUNT]) {
    const { fs } = makeWorld(ROOTS.MEMFS!(), count);
    steps.push(
      await counter.count(() => {
        for (let index = 0; index < count; index++) fs.readdir("/d");
      }),
    );
  }
  return [{ name: "square", small: steps[0]!, large: steps[1]! }];
}

const [what = ""] = Deno.args;
const counter = new StepCounter();
await counter.start();
const measured = what === "verbs"
  ? await measureVerbs(counter)
  : what === "square"
  ? await measureSquare(counter)
  : await measureCalls(counter, what);
counter.stop();
console.log(JSON.stringify(measured));
