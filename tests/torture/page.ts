/**
 * The torture in a page: bundled by the browser tests, it puts `runTorture` where they find it.
 */
import { runTorture, type TortureOptions, type TortureResult } from "./run.ts";

/** Runs the torture with threads that are made of a program's text. */
async function torture(
  program: string,
  options: Omit<TortureOptions, "start">,
): Promise<TortureResult> {
  const url = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
  try {
    return await runTorture({ ...options, start: () => new Worker(url) });
  } finally {
    URL.revokeObjectURL(url);
  }
}

Reflect.set(globalThis, "torture", torture);
