/**
 * Long work, step by step.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Interrupted,
  interruptible,
  pause,
  progressText,
  showing,
  takeSteps,
} from "../../../cli/shared/steps.ts";
import type { Progress } from "../../../opfs/volume/upkeep/transfer.ts";

function terminalOf(shown: string[]) {
  return {
    print: () => {},
    write: () => {},
    say: () => {},
    flush: () => {},
    show: (line: string) => void shown.push(line),
  };
}

/** Work that keeps the processor busy for a while in each step. */
function* slowly(steps: number, ended: string[]): Generator<Progress, string, void> {
  try {
    for (let step = 1; step <= steps; step++) {
      for (const until = performance.now() + 50; performance.now() < until;);
      yield { doneBytes: step, totalBytes: steps };
    }
    return "done";
  } finally {
    ended.push("cleared up");
  }
}

Deno.test("takeSteps() returns the result, shows progress, and erases it", async () => {
  const shown: string[] = [];
  const interrupts = { isRaised: false };
  const options = { terminal: terminalOf(shown), label: "working", interrupts };
  assertEquals(await takeSteps(slowly(2, []), options), "done");
  assertEquals(shown, ["working 50 %", "working 100 %", ""]);
});

Deno.test("takeSteps() lets the event loop turn, stops, and lets the work clear up", async () => {
  const ended: string[] = [];
  const interrupts = { isRaised: false };
  setTimeout(() => interrupts.isRaised = true, 60);
  const options = { terminal: terminalOf([]), label: "x", interrupts };
  const stopped = () => takeSteps(slowly(100, ended), { ...options, stateLeft: "half is there" });
  await assertRejects(stopped, Interrupted, "it was interrupted; half is there");
  assertEquals(ended, ["cleared up"]);
});

Deno.test("interruptible() notes a signal, and only while it works", async () => {
  const status = await interruptible(async (interrupts) => {
    Deno.kill(Deno.pid, "SIGTERM");
    for (let wait = 0; wait < 200 && !interrupts.isRaised; wait++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return interrupts.isRaised;
  });
  assert(status);
});

Deno.test("progressText() says a share, or how much if the whole is not known", () => {
  assertEquals(progressText({ doneBytes: 1, totalBytes: 3 }), "33 %");
  assertEquals(progressText({ doneBytes: 4, totalBytes: 3 }), "100 %");
  assertEquals(progressText({ doneBytes: 0, totalBytes: 0 }), "…");
  assertEquals(progressText({ doneBytes: 2048, doneEntries: 2 }), "2 entries, 2.0 KiB");
});

Deno.test("showing() shows what is reported now and then, and erases it whatever happens", () => {
  const shown: string[] = [];
  const look = { terminal: terminalOf(shown), label: "looking" };
  const result = showing(look, (onProgress) => {
    onProgress({ doneBytes: 1, totalBytes: 4 });
    for (const until = performance.now() + 60; performance.now() < until;);
    onProgress({ doneBytes: 2, totalBytes: 4 });
    onProgress({ doneBytes: 3, totalBytes: 4 });
    return 7;
  });
  assertEquals([result, shown], [7, ["looking 50 %", ""]]);
  assertThrows(() => showing(look, () => fail("no")), Error, "no");
  assertEquals(shown.at(-1), "");
});

Deno.test("pause() notices a signal that came in the meantime", async () => {
  await pause({ isRaised: false });
  const interrupts = { isRaised: false };
  setTimeout(() => interrupts.isRaised = true, 0);
  await assertRejects(() => pause(interrupts), Interrupted, "nothing has been changed");
});

function fail(why: string): never {
  throw new Error(why);
}
