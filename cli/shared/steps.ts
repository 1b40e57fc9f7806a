/**
 * Long work: step by step, with progress on a terminal, and with an ear for Ctrl-C.
 *
 * Layer: cli. Between steps the event loop turns, so that a signal is noticed; the work is then left
 * where it is, and the code that began a file discards it.
 *
 * @module
 */
import process from "node:process";
import type { Progress } from "../../opfs/mod.ts";
import { type Terminal, UnplacedError } from "./verb.ts";
import { count, sizeText } from "./words.ts";

/** How long the work goes on between two looks at the signals. */
const SLICE_MS = 40;

/** Ctrl-C was pressed. */
export class Interrupted extends UnplacedError {
  /** Always `"Interrupted"`. */
  override readonly name = "Interrupted";
}

/** Whether Ctrl-C has been pressed since {@link interruptible} began. */
export interface Interrupts {
  /** True from then on. */
  isRaised: boolean;
}

/** What ends a program that does not listen: Ctrl-C, `kill`, and a terminal that is closed. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Does something that must not just be cut off: signals are noted, and the work looks at them where it
 * can stop and clear up. Work that leaves nothing to clear up says `clearsUp: false`: a signal then
 * ends it at once, also while it waits for a reader of its output.
 */
export async function interruptible<T>(
  work: (interrupts: Interrupts) => Promise<T>,
  { clearsUp = true }: { clearsUp?: boolean } = {},
): Promise<T> {
  const interrupts: Interrupts = { isRaised: false };
  const raise = (): void => void (interrupts.isRaised = true);
  const signals = clearsUp ? SIGNALS : [];
  for (const signal of signals) process.on(signal, raise);
  try {
    return await work(interrupts);
  } finally {
    for (const signal of signals) process.off(signal, raise);
  }
}

/** How often work that waits for another program looks at the signals. */
const POLL_MS = 50;

/** The outcome of something that may take for ever, or an {@link Interrupted}. */
export async function unlessInterrupted<T>(
  outcome: Promise<T>,
  interrupts: Interrupts,
): Promise<T> {
  let timer: ReturnType<typeof setInterval> | undefined;
  const { promise, reject } = Promise.withResolvers<never>();
  try {
    timer = setInterval(() => {
      if (interrupts.isRaised) reject(new Interrupted(UNCHANGED));
    }, POLL_MS);
    return await Promise.race([outcome, promise]);
  } finally {
    clearInterval(timer);
  }
}

const UNCHANGED = "it was interrupted; nothing has been changed";

/** Options of long work. */
export interface StepOptions {
  /** Where progress is shown. */
  terminal: Terminal;
  /** What it is called there. */
  label: string;
  /** What can stop it. */
  interrupts: Interrupts;
  /** What is said of the state in which a stop leaves things. Default: nothing has been changed. */
  stateLeft?: string;
}

/** How far work is whose amount is not known. */
export interface Tally {
  /** Files, directories and other entries so far. */
  doneEntries: number;
  /** Bytes of contents so far. */
  doneBytes: number;
}

/** How far work is. */
export type Step = Progress | Tally;

/** Work that reports how far it is; the second kind also waits, for a pipe for instance. */
export type Steps<T> = Generator<Step, T, void> | AsyncGenerator<Step, T, void>;

/** Takes all steps and returns the result; throws {@link Interrupted} between two of them. */
export async function takeSteps<T>(
  steps: Steps<T>,
  { terminal, label, interrupts, stateLeft = "nothing has been changed" }: StepOptions,
): Promise<T> {
  try {
    for (let pauseAt = performance.now() + SLICE_MS;;) {
      const step = await steps.next();
      if (step.done === true) return step.value;
      if (performance.now() < pauseAt) continue;
      terminal.show(`${label} ${progressText(step.value)}`);
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (interrupts.isRaised) await stop(steps, stateLeft);
      pauseAt = performance.now() + SLICE_MS;
    }
  } finally {
    terminal.show("");
  }
}

/** Lets a signal be heard between two pieces of work that turn no loop themselves. */
export async function pause(interrupts: Interrupts): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  if (interrupts.isRaised) throw new Interrupted(UNCHANGED);
}

/**
 * Does something that reports how far it is and does not return to the event loop: its reports are
 * shown a few times a second, and erased at the end.
 */
export function showing<T>(
  { terminal, label }: Pick<StepOptions, "terminal" | "label">,
  work: (onProgress: (step: Step) => void) => T,
): T {
  let nextAt = performance.now() + SLICE_MS;
  try {
    return work((step) => {
      if (performance.now() < nextAt) return;
      terminal.show(`${label} ${progressText(step)}`);
      nextAt = performance.now() + SLICE_MS;
    });
  } finally {
    terminal.show("");
  }
}

/** Lets the work clear up after itself, and ends it. */
async function stop<T>(steps: Steps<T>, stateLeft: string): Promise<never> {
  await steps.return(undefined as T);
  throw new Interrupted(`it was interrupted; ${stateLeft}`);
}

/** How far it is, in words. */
export function progressText(step: Step): string {
  if ("doneEntries" in step) {
    return `${count(step.doneEntries, "entry")}, ${sizeText(step.doneBytes)}`;
  }
  const { doneBytes, totalBytes } = step;
  return totalBytes === 0 ? "…" : `${Math.floor(Math.min(1, doneBytes / totalBytes) * 100)} %`;
}
