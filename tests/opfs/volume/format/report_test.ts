import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../../abi/errno.ts";
import {
  DamageError,
  reportOrThrow,
  type Violation,
} from "../../../../opfs/volume/format/report.ts";

Deno.test("reportOrThrow() reports damage to a listener, and throws without one", () => {
  const damage = new DamageError("V10", "record 3 is damaged");
  const other = new DamageError("V1", "V9: slot 2", "read it");
  const told: Violation[] = [];
  reportOrThrow(damage, (violation) => void told.push(violation));
  reportOrThrow(other, (violation) => void told.push(violation));
  assertEquals(told.map(({ rule, message, isDerivable }) => [rule, message, isDerivable]), [
    ["V10", "record 3 is damaged", false],
    ["V1", "V9: slot 2", false],
  ]);
  assertEquals(other.message, "EIO: cannot read it: V1: V9: slot 2");
  assertThrows(() => reportOrThrow(damage, undefined), ErrnoError, "V10");
  const disk = new ErrnoError("EIO", "open the volume", { why: "V10: the disk says so" });
  assertThrows(() => reportOrThrow(disk, () => {}), ErrnoError, "the disk says so");
  assertThrows(() => reportOrThrow(new TypeError("a bug"), () => {}), TypeError, "a bug");
});
