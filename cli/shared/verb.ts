/**
 * What a verb of the command line is, and how its words are read.
 *
 * Layer: cli, bottom. Each verb is a file of its own that exports one {@link Verb}; `main.ts` finds
 * it by name, reads the words by `node:util` parseArgs, and prints what went wrong as one line.
 *
 * @module
 */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { codeOfHost, messageOf as textOf } from "../../mod.ts";

/** What a call of a verb is given. */
export interface Call {
  /** The words that are no options. */
  words: string[];
  /** The options. */
  options: Readonly<Record<string, string | boolean | undefined>>;
  /** Where it writes. */
  terminal: Terminal;
  /** Says what went wrong at one of several places, when the others are done all the same. */
  reportError(error: unknown): void;
}

/** Where results, messages and bytes go. */
export interface Terminal {
  /** Prints a result, whole lines. Buffered: see `flush`. */
  print(text: string): void;
  /** Writes bytes as they are. */
  write(bytes: Uint8Array): void;
  /** Says something beside the result. */
  say(line: string): void;
  /** Shows a line that the next one replaces; nothing where there is no terminal. */
  show(line: string): void;
  /** Writes what is still buffered. */
  flush(): void;
  /** Whether results may have colours. Default false. */
  readonly isColoured?: boolean;
}

/** One verb. */
export interface Verb {
  /** What it is called by. */
  name: string;
  /** Its arguments, as they are written after the name. */
  usage: string;
  /** What it does, in one line. */
  summary: string;
  /** More about it: options and examples. */
  help: string;
  /** Its options, as parseArgs wants them; `--help` and `--debug` are added. */
  options?: NonNullable<ParseArgsConfig["options"]>;
  /** Fewest and most words. */
  words: readonly [least: number, most: number];
  /** Brings words into the form that parseArgs reads, where people know another one. */
  spell?(args: readonly string[]): string[];
  /** Does it and returns the exit status. */
  run(call: Call): number | Promise<number>;
}

/** Everything is as it should be. */
export const EXIT_GOOD = 0;
/** It worked, and there is something to know: damage found, something left out. */
export const EXIT_FOUND = 1;
/** It did not work. */
export const EXIT_FAILED = 2;
/** It was interrupted. */
export const EXIT_INTERRUPTED = 130;

/** An error that is about no place: `at` lets it pass. */
export class UnplacedError extends Error {}

/** The caller's words make no sense. */
export class UsageError extends UnplacedError {
  /** Always `"UsageError"`. */
  override readonly name = "UsageError";
}

/** Something failed at a place that the caller has named. */
export class PlaceError extends Error {
  /** Always `"PlaceError"`. */
  override readonly name = "PlaceError";

  /** `place` is the file or path as the caller wrote it; the cause says what is wrong there. */
  constructor(place: string, cause: unknown) {
    super(`"${place}": ${messageOf(cause)}`, { cause });
  }
}

/** The image changed while it was read. */
export class ImageChanged extends UnplacedError {
  /** Always `"ImageChanged"`. */
  override readonly name = "ImageChanged";

  /** `cause` is what failed because of it, if something did. */
  constructor(image: string, cause?: unknown) {
    const why = "it was written while it was read, so what was read may be of two moments";
    const failed = cause === undefined ? "" : `; ${messageOf(cause)}`;
    super(`"${image}": ${why}${failed}`, cause === undefined ? {} : { cause });
  }
}

/** What an error says; its code comes first, also with the host's own errors. */
export function messageOf(error: unknown): string {
  const code = codeOfHost(error);
  const text = textOf(error);
  if (!/^E[A-Z0-9]+$/.test(code) || text.includes(code)) return text;
  return `${code}: ${text.replace(/ \(os error \d+\)/, "")}`;
}

/** What a library's error says, as the end of a sentence of ours. */
export function clauseOf(error: unknown): string {
  return textOf(error).replace(/\.$/, "");
}

/** Does something about a place, so that a failure names it. */
export function at<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const isPlaced = error instanceof PlaceError || error instanceof UnplacedError;
    throw isPlaced ? error : new PlaceError(place, error);
  }
}

/** The same for work that takes its time. */
export async function atLength<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    return at(place, () => {
      throw error;
    });
  }
}

/** The same for what comes one after the other. */
export async function* named<T>(
  place: string,
  items: AsyncIterable<T>,
): AsyncGenerator<T, void, void> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = await atLength(place, () => Promise.resolve(iterator.next()));
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    await iterator.return?.();
  }
}

/**
 * One thing after another: what fails is said, and the next is done. Use:
 *
 *     const attempts = new Attempts(call);
 *     for (const path of paths) attempts.at(`${image}:${path}`, () => show(path));
 *     return attempts.status;
 */
export class Attempts {
  readonly #call: Pick<Call, "reportError">;
  #good = 0;
  #failed = 0;

  /** Says what fails by the call. */
  constructor(call: Pick<Call, "reportError">) {
    this.#call = call;
  }

  /** Does something about a place. */
  at(place: string, work: () => void): void {
    if (this.allows(place, work)) this.#good++;
  }

  /** Whether what comes before the work at a place could be done. */
  allows(place: string, work: () => void): boolean {
    try {
      at(place, work);
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /** The same for work that takes its time. */
  async atLength(place: string, work: () => Promise<void>): Promise<void> {
    try {
      await atLength(place, work);
      this.#good++;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The same for work that is done in steps, and names places itself. */
  *steps<T>(work: () => Generator<T, void, void>): Generator<T, void, void> {
    try {
      yield* work();
      this.#good++;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What is about no place ends it all: an interruption, an output that is not read any more. */
  #fail(error: unknown): void {
    const isFound = error instanceof ImageChanged && error.cause === undefined;
    if (error instanceof UnplacedError && !(error instanceof ImageChanged)) throw error;
    this.#failed++;
    if (isFound) this.#good++;
    this.#call.reportError(error);
  }

  /** The exit status: something was left out if something failed, and none worked if all did. */
  get status(): number {
    if (this.#failed === 0) return EXIT_GOOD;
    return this.#good === 0 ? EXIT_FAILED : EXIT_FOUND;
  }
}

/** The options and words of a call; throws a {@link UsageError}. */
export function readWords(
  verb: Verb,
  args: readonly string[],
): { values: Call["options"]; words: string[] } {
  const options: ParseArgsConfig["options"] = {
    ...verb.options,
    help: { type: "boolean", short: "h" },
    debug: { type: "boolean" },
  };
  const spelled = verb.spell?.(args) ?? args;
  const { values, positionals } = parse(withNumbers(spelled, options), options);
  if (values.help === true) return { values, words: positionals };
  const [least, most] = verb.words;
  if (positionals.length < least) throw new UsageError(`words are missing: ${verb.usage}`);
  if (positionals.length > most) {
    throw new UsageError(`"${positionals[most]}" is one word too many: ${verb.usage}`);
  }
  return { values, words: positionals };
}

/** `-s -10`: a number below zero is the value of the option before it, not an option. */
function withNumbers(
  args: readonly string[],
  options: NonNullable<ParseArgsConfig["options"]>,
): string[] {
  const names = new Map<string, string>();
  for (const [name, { type, short }] of Object.entries(options)) {
    if (type !== "string") continue;
    names.set(`--${name}`, name);
    if (short !== undefined) names.set(`-${short}`, name);
  }
  const end = args.indexOf("--");
  const joined: string[] = [];
  for (const arg of end < 0 ? args : args.slice(0, end)) {
    const name = names.get(joined.at(-1) ?? "");
    if (name === undefined || !/^-\d/.test(arg)) joined.push(arg);
    else joined.splice(-1, 1, `--${name}=${arg}`);
  }
  return end < 0 ? joined : [...joined, ...args.slice(end)];
}

function parse(
  args: readonly string[],
  options: NonNullable<ParseArgsConfig["options"]>,
): { values: Call["options"]; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { values: values as Call["options"], positionals };
  } catch (error) {
    throw new UsageError(messageOf(error).replace(/\s+/g, " "));
  }
}

/** The number that an option holds; throws a {@link UsageError}. */
export function numberOption(call: Call, name: string): number | undefined {
  const text = call.options[name];
  if (typeof text !== "string") return undefined;
  const bytes = byteCount(text);
  if (bytes === undefined) throw new UsageError(`--${name} is "${text}" and not a number`);
  return bytes;
}

/** The number that a text such as `64k` says; undefined if it says none. */
export function byteCount(text: string): number | undefined {
  const match = /^(\d+)([kKmMgG]?)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * UNITS[match[2]!.toLowerCase()]!;
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
