/**
 * The one error that a failed assertion throws. Part of the stand-in for `@std/assert`, which every
 * test imports by that name; here it stands at the bottom, below the assertions.
 *
 * @module
 */

/** Thrown by every assertion of this package. */
export class AssertionError extends Error {
  /** `message` is the whole report; `options.cause` may carry what was thrown instead. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** Puts the caller's own words after the report, as std does. */
export function explain(report: string, message?: string): string {
  return message === undefined ? report : `${report}: ${message}`;
}

/** A value as it reads in a report: short, and different for different values. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (Object.is(value, -0)) return "-0";
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return showView(value);
  if (value instanceof Map || value instanceof Set) {
    return `${value.constructor.name} [${[...value].map(show).join(", ")}]`;
  }
  return typeof value === "object" && value !== null ? showObject(value) : String(value);
}

/** Bytes are shown up to a length that still fits a terminal. */
function showView(view: ArrayBufferView): string {
  const items = [...view as Uint8Array];
  const rest = items.length > 64 ? ", …" : "";
  return `${view.constructor.name}(${items.length}) [${items.slice(0, 64).join(", ")}${rest}]`;
}

/** JSON, except that a member JSON cannot write (undefined, bigint, cycle) still shows. */
function showObject(value: object): string {
  const seen = new Set<unknown>();
  const text = JSON.stringify(value, (_key, member) => {
    if (typeof member === "object" && member !== null) {
      if (seen.has(member)) return "[seen]";
      seen.add(member);
    }
    if (typeof member === "bigint" || typeof member === "function") return String(member);
    return member === undefined ? "[undefined]" : member;
  }, 1);
  return text.length > 60 ? text : text.replace(/\n */g, " ");
}
