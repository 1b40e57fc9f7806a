/**
 * Deep equality, as `assertEquals` means it. Part of the stand-in for `@std/assert`; plain code
 * without a builtin, because the conformance suites also run in a page.
 *
 * @module
 */

/** Pairs that are being compared further up, so that a cycle ends. */
type Pairs = Map<object, object>;

/** True if both have the same kind, the same members and the same values all the way down. */
export function equal(a: unknown, b: unknown): boolean {
  return same(a, b, new Map());
}

function same(a: unknown, b: unknown, pairs: Pairs): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (pairs.get(a) === b) return true;
  pairs.set(a, b);
  return sameContent(a, b, pairs);
}

/** Both have one prototype, so what the first one is, the second one is too. */
function sameContent(a: object, b: object, pairs: Pairs): boolean {
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime());
  if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);
  if (ArrayBuffer.isView(a)) return sameBytes(a, b as ArrayBufferView);
  if (isBuffer(a)) return sameBytes(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  if (a instanceof Set) return sameSet(a, b as Set<unknown>, pairs);
  if (a instanceof Map) return sameMap(a, b as Map<unknown, unknown>, pairs);
  if (a instanceof Error && !sameError(a, b as Error, pairs)) return false;
  return sameMembers(a, b, pairs);
}

/** By its tag: a page that is not isolated has no SharedArrayBuffer to ask `instanceof`. */
function isBuffer(value: object): value is ArrayBuffer {
  const tag = Object.prototype.toString.call(value);
  return tag === "[object ArrayBuffer]" || tag === "[object SharedArrayBuffer]";
}

function sameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (a.byteLength !== b.byteLength) return false;
  const left = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  const right = new Uint8Array(b.buffer, b.byteOffset, b.byteLength);
  return left.every((byte, index) => byte === right[index]);
}

function sameSet(a: Set<unknown>, b: Set<unknown>, pairs: Pairs): boolean {
  if (a.size !== b.size) return false;
  const left = [...b];
  return [...a].every((item) => {
    const index = left.findIndex((other) => same(item, other, new Map(pairs)));
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  });
}

function sameMap(a: Map<unknown, unknown>, b: Map<unknown, unknown>, pairs: Pairs): boolean {
  return sameSet(new Set([...a]), new Set([...b]), pairs);
}

/** The message and the cause of an error are not enumerable, yet they are what it says. */
function sameError(a: Error, b: Error, pairs: Pairs): boolean {
  return a.name === b.name && a.message === b.message && same(a.cause, b.cause, pairs);
}

function sameMembers(a: object, b: object, pairs: Pairs): boolean {
  const keys = membersOf(a);
  if (Array.isArray(a) && a.length !== (b as unknown[]).length) return false;
  if (keys.length !== membersOf(b).length) return false;
  return keys.every((key) =>
    Object.prototype.propertyIsEnumerable.call(b, key) &&
    same(Reflect.get(a, key), Reflect.get(b, key), pairs)
  );
}

function membersOf(value: object): PropertyKey[] {
  return Reflect.ownKeys(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key)
  );
}
