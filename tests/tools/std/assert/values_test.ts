/**
 * Each assertion of tools/std/assert/values.ts passes where it should and throws where it should.
 */
import * as values from "../../../../tools/std/assert/values.ts";
import { AssertionError } from "../../../../tools/std/assert/assertion_error.ts";

/** Each row: the call, arguments that hold, arguments that do not. */
const CALLS: [(...args: never[]) => unknown, unknown[][], unknown[][]][] = [
  [values.assert, [[true], [1], ["x"]], [[false], [0], [""], [null]]],
  [values.assertFalse, [[false], [0], [""]], [[true], [1]]],
  [values.assertEquals, [[[1], [1]], [NaN, NaN]], [[[1], [2]], [0, -0]]],
  [values.assertNotEquals, [[[1], [2]]], [[[1], [1]]]],
  [values.assertStrictEquals, [[1, 1], [NaN, NaN]], [[[1], [1]], [0, -0]]],
  [values.assertNotStrictEquals, [[[1], [1]]], [[1, 1]]],
  [values.assertExists, [[0], [""], [false]], [[null], [undefined]]],
  [values.assertStringIncludes, [["abc", "b"]], [["abc", "d"]]],
  [values.assertArrayIncludes, [[[{ a: 1 }, 2], [{ a: 1 }]]], [[[1, 2], [2, 3]]]],
  [values.assertMatch, [["abc", /b/]], [["abc", /d/]]],
  [values.assertNotMatch, [["abc", /d/]], [["abc", /b/]]],
  [values.assertGreater, [[2, 1], ["b", "a"], [2n, 1n]], [[1, 1], [1, 2]]],
  [values.assertGreaterOrEqual, [[2, 1], [1, 1]], [[1, 2], [NaN, 1]]],
  [values.assertLess, [[1, 2]], [[1, 1], [2, 1]]],
  [values.assertLessOrEqual, [[1, 2], [1, 1]], [[2, 1], [1, NaN]]],
  [values.fail, [], [[], ["why"]]],
];

/** What a call throws, or null. By hand: an assertion should not vouch for itself. */
function thrownBy(call: (...args: never[]) => unknown, args: unknown[]): unknown {
  try {
    call(...args as never[]);
    return null;
  } catch (error) {
    return error;
  }
}

for (const [call, good, bad] of CALLS) {
  Deno.test(`${call.name}() passes and fails where it should`, () => {
    for (const args of good) {
      const error = thrownBy(call, args);
      if (error !== null) throw new Error(`${call.name} refuses its arguments`, { cause: error });
    }
    for (const args of bad) {
      const error = thrownBy(call, args);
      if (!(error instanceof AssertionError)) throw new Error(`${call.name} accepts ${args}`);
    }
  });
}

Deno.test("assertEquals() reports both values and the caller's words", () => {
  const error = thrownBy(values.assertEquals, [{ a: 1 }, { a: 2 }, "why"]) as Error;
  for (const part of [`{ "a": 1 }`, `{ "a": 2 }`, ": why"]) {
    if (!error.message.includes(part)) throw new Error(`"${part}" is not in ${error.message}`);
  }
});
