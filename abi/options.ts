/**
 * Options of a constructor or a mount, looked at once: what is absent gets its default, what is of the
 * wrong kind is EINVAL before anything is made.
 *
 * Layer: abi. Use: `clock: functionOption(options.clock, Date.now, "clock")`.
 *
 * @module
 */
import { ErrnoError } from "./errno.ts";

/**
 * Whatever it is, as a person would want to read it in a message. What is no primitive is named by its
 * kind: to ask it for its text would run the code of its owner.
 */
export function shown(value: unknown): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  return `a ${value === null ? "null" : typeof value}`;
}

function refuse(value: unknown, name: string): never {
  throw new ErrnoError("EINVAL", `use ${shown(value)} as the option "${name}"`);
}

/**
 * Fields of an object that a caller hands over, read once and before anything depends on them. EINVAL
 * for what is no object, and for fields that throw; `action` begins the message.
 */
export function fieldsOf<O extends object, K extends keyof O>(
  given: O,
  names: readonly K[],
  action: string,
): Pick<O, K> {
  const fields = {} as Pick<O, K>;
  if (typeof given !== "object" || given === null) {
    throw new ErrnoError("EINVAL", `${action} with ${shown(given)}`);
  }
  try {
    for (const name of names) if (given[name] !== undefined) fields[name] = given[name];
  } catch (error) {
    throw new ErrnoError("EINVAL", `${action} with what cannot be read`, { cause: error });
  }
  return fields;
}

/** Stops unless it is a list. EINVAL. */
export function requireList(list: readonly unknown[]): void {
  if (!Array.isArray(list)) throw new ErrnoError("EINVAL", `go through ${shown(list)}`);
}

/** The options themselves: an object, or nothing. EINVAL. */
export function optionsOf<O extends object>(options: O | undefined, name: string): O {
  if (options === undefined) return {} as O;
  return typeof options === "object" && options !== null ? options : refuse(options, name);
}

/** A whole number from `least` on. EINVAL. */
export function countOption(
  value: number | undefined,
  fallback: number,
  name: string,
  least = 0,
): number {
  if (value === undefined) return fallback;
  return Number.isSafeInteger(value) && value >= least ? value : refuse(value, name);
}

/** A function. EINVAL. */
export function functionOption<F>(value: F | undefined, fallback: F, name: string): F {
  if (value === undefined) return fallback;
  return typeof value === "function" ? value : refuse(value, name);
}

/** Text. EINVAL. */
export function textOption(value: string | undefined, fallback: string, name: string): string {
  if (value === undefined) return fallback;
  return typeof value === "string" ? value : refuse(value, name);
}

/** One of some words. EINVAL. */
export function choiceOption<W extends string>(
  value: W | undefined,
  known: readonly [W, ...W[]],
  name: string,
): W {
  if (value === undefined) return known[0];
  return known.includes(value) ? value : refuse(value, name);
}
