/**
 * Deep equality of tools/std/assert/equal.ts, in pairs that are equal and pairs that are not.
 */
import { assert, assertFalse } from "@std/assert";
import { equal } from "../../../../tools/std/assert/equal.ts";

class Point {
  readonly x: number;
  constructor(x: number) {
    this.x = x;
  }
}

function cycle(): unknown[] {
  const list: unknown[] = [1];
  list.push(list);
  return list;
}

const shared = new SharedArrayBuffer(2);

const EQUAL: [string, unknown, unknown][] = [
  ["NaN", NaN, NaN],
  ["members in another order", { a: 1, b: 2 }, { b: 2, a: 1 }],
  ["nested lists", [1, [2, { a: [3] }]], [1, [2, { a: [3] }]]],
  ["dates", new Date(5), new Date(5)],
  ["expressions", /a/g, /a/g],
  ["addresses", new URL("a:b"), new URL("a:b")],
  ["bytes", new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  ["bytes of one kind at another offset", new Uint8Array([0, 1]).subarray(1), new Uint8Array([1])],
  ["buffers", new ArrayBuffer(2), new ArrayBuffer(2)],
  ["shared buffers", shared, new SharedArrayBuffer(2)],
  ["sets in another order", new Set([1, { a: 2 }]), new Set([{ a: 2 }, 1])],
  ["maps in another order", new Map([[1, "a"], [2, "b"]]), new Map([[2, "b"], [1, "a"]])],
  ["errors", new TypeError("x"), new TypeError("x")],
  ["cycles", cycle(), cycle()],
];

const DIFFERENT: [string, unknown, unknown][] = [
  ["zeros of both signs", 0, -0],
  ["number and text", 1, "1"],
  ["null and undefined", null, undefined],
  ["null and object", null, {}],
  ["a missing and an undefined member", {}, { a: undefined }],
  ["undefined members of two names", { a: undefined }, { b: undefined }],
  ["lists of two lengths", [1], [1, 2]],
  ["a hole at the end", [], new Array(1)],
  ["dates", new Date(5), new Date(6)],
  ["expressions", /a/g, /a/],
  ["bytes", new Uint8Array([1, 2]), new Uint8Array([1, 3])],
  ["views of two kinds", new Uint8Array(2), new Int8Array(2)],
  ["buffers", new ArrayBuffer(2), new ArrayBuffer(3)],
  ["shared buffers", shared, Uint8Array.of(1, 2).buffer],
  ["shared buffers of two sizes", shared, new SharedArrayBuffer(3)],
  ["sets", new Set([1]), new Set([2])],
  ["sets that overlap", new Set([{ a: 1 }, { a: 1 }]), new Set([{ a: 1 }, { a: 2 }])],
  ["map values", new Map([[1, "a"]]), new Map([[1, "b"]])],
  ["messages", new Error("x"), new Error("y")],
  ["causes", new Error("x", { cause: 1 }), new Error("x", { cause: 2 })],
  ["classes", new Point(1), { x: 1 }],
  ["symbol members", { [Symbol.iterator]: 1 }, { [Symbol.iterator]: 2 }],
];

for (const [name, a, b] of EQUAL) {
  Deno.test(`equal() holds for ${name}`, () => {
    assert(equal(a, b));
    assert(equal(b, a));
  });
}

for (const [name, a, b] of DIFFERENT) {
  Deno.test(`equal() distinguishes: ${name}`, () => {
    assertFalse(equal(a, b));
    assertFalse(equal(b, a));
  });
}
