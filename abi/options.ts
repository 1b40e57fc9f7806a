/**
 * Options of a constructor or a mount, looked at once: what is absent gets its default, what is of the
 * wrong kind is EINVAL before anything is made.
 *
 * Layer: abi. Use: `clock: functionOption(options.clock, Date.now, "clock")`.
 *
 * @module
 */
import { ErrnoError } from "./errno.ts";

/** Whatever it is, as a person would want to read it in a message. */
function refuse(value: unknown, name: string): never {
  const shown = typeof value === "number" || typeof value === "string"
    ? JSON.stringify(value)
    : `a ${value === null ? "null" : typeof value}`;
  throw new ErrnoError("EINVAL", `use ${shown} as the option "${name}"`);
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
