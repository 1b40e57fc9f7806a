import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import { tellOrThrow, type Violation } from "../../../../opfs/volume/format/report.ts";

Deno.test("tellOrThrow() tells of damage to who wants to know, and throws for everybody else", () => {
  const damage = new ErrnoError("EIO", "open the volume: V10: record 3 is damaged");
  const told: Violation[] = [];
  tellOrThrow(damage, (violation) => void told.push(violation));
  tellOrThrow(damage, (violation) => void told.push(violation), "V1");
  assertEquals(told.map(({ rule, message, isDerivable }) => [rule, message, isDerivable]), [
    ["V10", "record 3 is damaged", false],
    ["V1", "record 3 is damaged", false],
  ]);
  assertThrows(() => tellOrThrow(damage, undefined), ErrnoError, "V10");
  assertThrows(() => tellOrThrow(new TypeError("a bug"), () => {}), TypeError, "a bug");
});
