/** Work in steps, in this thread and over a port. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import {
  runSteps,
  serveSteps,
  type StepProgress,
  stepsHere,
  type StepSource,
  stepsOver,
} from "../../../opfs/relay/steps.ts";

/** Five steps; notes how many were made. */
function* five(made: number[]): Generator<StepProgress, string, void> {
  for (let step = 1; step <= 5; step++) {
    made.push(step);
    const until = performance.now() + 2;
    while (performance.now() < until);
    yield { doneBytes: step, totalBytes: 5 };
  }
  return "done";
}

/** The same steps here and over a port. */
const kinds: Record<string, (made: number[]) => StepSource<string>> = {
  here: (made) => stepsHere(five(made)),
  "over a port"(made) {
    const { port1, port2 } = new MessageChannel();
    serveSteps(port1, () => five(made));
    return stepsOver<string>(port2);
  },
};

for (const [kind, source] of Object.entries(kinds)) {
  Deno.test(`runSteps() makes all steps and says how far they are: ${kind}`, async () => {
    const told: StepProgress[] = [];
    const made: number[] = [];
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const onProgress = (progress: StepProgress): void => void told.push(progress);
    assertEquals(await runSteps(source(made), { onProgress }), "done");
    clearInterval(timer);
    assertEquals(told.map(({ doneBytes }) => doneBytes), [1, 2, 3, 4, 5]);
    assertEquals(made.length, 5);
    assert(turns > 0 || kind !== "here", "the event loop turns between steps");
  });

  Deno.test(`runSteps() ends after the step under way when it should: ${kind}`, async () => {
    const made: number[] = [];
    const control = new AbortController();
    const onProgress = ({ doneBytes }: StepProgress): void => {
      if (doneBytes === 2) control.abort(new ErrnoError("ECANCELED", "compact"));
    };
    const { signal } = control;
    await assertRejects(
      () => runSteps(source(made), { onProgress, signal }),
      ErrnoError,
      "ECANCELED",
    );
    assertEquals(made, [1, 2]);
    await assertRejects(() => runSteps(source(made), { signal }), ErrnoError, "ECANCELED");
    assertEquals(made, [1, 2], "none is begun");
  });

  Deno.test(`runSteps() refuses invalid options, and makes no step: ${kind}`, async () => {
    const made: number[] = [];
    for (const options of [null, 5, { onProgress: 7 }]) {
      const given = options as unknown as { onProgress: () => void };
      await assertRejects(() => runSteps(source(made), given), ErrnoError, "EINVAL");
    }
    assertEquals(made, []);
  });
}

Deno.test("stepsOver() passes on what a step throws, and that the other side has gone", async () => {
  for (
    const [thrown, said] of [[new ErrnoError("ENOSPC", "move"), "ENOSPC: cannot move"], [
      new TypeError("odd"),
      "EIO: cannot odd",
    ]] as const
  ) {
    const { port1, port2 } = new MessageChannel();
    serveSteps(port1, () => {
      throw thrown;
    });
    await assertRejects(() => runSteps(stepsOver(port2)), ErrnoError, said);
  }
  const { port1, port2 } = new MessageChannel();
  const source = stepsOver(port2);
  const running = runSteps(source);
  source.fail(new ErrnoError("EBADF", "compact: the relay has gone"));
  await assertRejects(() => running, ErrnoError, "the relay has gone");
  await assertRejects(() => source.next(), ErrnoError, "the relay has gone");
  port1.close();
});
