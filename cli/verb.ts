/**
 * What a verb of the command line is, and how its words are read.
 *
 * Layer: cli, bottom. Each verb is a file of its own that exports one {@link Verb}; `main.ts` finds
 * it by name, reads the words by `node:util` parseArgs, and prints what went wrong as one line.
 *
 * @module
 */
import { parseArgs, type ParseArgsConfig } from "node:util";

/** What a call of a verb is given. */
export interface Call {
  /** The words that are no options. */
  words: string[];
  /** The options. */
  options: Readonly<Record<string, string | boolean | undefined>>;
  /** Where it writes. */
  terminal: Terminal;
}

/** Where results, messages and bytes go. */
export interface Terminal {
  /** Prints a result, whole lines. Buffered: see `flush`. */
  print(text: string): void;
  /** Writes bytes as they are. */
  write(bytes: Uint8Array): void;
  /** Says something beside the result. */
  say(line: string): void;
  /** Shows a line that the next one replaces; nothing where nobody looks. */
  show(line: string): void;
  /** Writes what is still buffered. */
  flush(): void;
}

/** One verb. */
export interface Verb {
  /** What it is called by. */
  name: string;
  /** How it is called, behind the name. */
  usage: string;
  /** What it does, in one line. */
  summary: string;
  /** More about it: options and examples. */
  help: string;
  /** Its options, as parseArgs wants them; `--help` and `--debug` are added. */
  options?: NonNullable<ParseArgsConfig["options"]>;
  /** Fewest and most words. */
  words: readonly [least: number, most: number];
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
export class PassingError extends Error {}

/** The caller's words make no sense. */
export class UsageError extends PassingError {
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

/** What an error says; its code comes first, also with the host's own errors. */
export function messageOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const text = String(message ?? error);
  if (typeof code !== "string" || !/^E[A-Z0-9]+$/.test(code) || text.includes(code)) return text;
  return `${code}: ${text.replace(/ \(os error \d+\)/, "")}`;
}

/** Does something about a place, so that a failure names it. */
export function at<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const isTold = error instanceof PlaceError || error instanceof PassingError;
    throw isTold ? error : new PlaceError(place, error);
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
  const { values, positionals } = parse(args, options);
  if (values.help === true) return { values, words: positionals };
  const [least, most] = verb.words;
  if (positionals.length < least) throw new UsageError(`words are missing: ${verb.usage}`);
  if (positionals.length > most) {
    throw new UsageError(`"${positionals[most]}" is one word too many: ${verb.usage}`);
  }
  return { values, words: positionals };
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
  const match = /^(\d+)([kKmMgG]?)$/.exec(text);
  if (match === null) throw new UsageError(`--${name} is "${text}" and not a number`);
  return Number(match[1]) * UNITS[match[2]!.toLowerCase()]!;
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
