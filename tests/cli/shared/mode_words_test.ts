/**
 * Permissions in words. What chmod of the GNU coreutils does with umask 022.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { changedMode } from "../../../cli/shared/mode_words.ts";
import { UsageError } from "../../../cli/shared/verb.ts";

Deno.test("changedMode() does what chmod does", () => {
  const rows: [mode: number, text: string, after: number][] = [
    [0o100000, "644", 0o644],
    [0o104755, "755", 0o755],
    [0o042755, "700", 0o2700],
    [0o042755, "0700", 0o2700],
    [0o042755, "00700", 0o700],
    [0o100644, "u+x", 0o744],
    [0o100644, "+x", 0o755],
    [0o100666, "-w", 0o466],
    [0o100644, "a-r", 0o200],
    [0o100644, "go=", 0o600],
    [0o100600, "g=u", 0o660],
    [0o100640, "o=g,u+x", 0o744],
    [0o100751, "g=u-w", 0o751],
    [0o100644, "a+X", 0o644],
    [0o100744, "a+X", 0o755],
    [0o040700, "go+rX", 0o755],
    [0o100755, "u+s", 0o4755],
    [0o100755, "ug+s,o+t", 0o7755],
    [0o107755, "a-st", 0o755],
    [0o107755, "=rx", 0o555],
    [0o042755, "g=rx", 0o2755],
    [0o042755, "g-s", 0o755],
    [0o041777, "o=rx", 0o775],
    [0o100000, "+rw", 0o644],
    [0o100000, "a=rw,u+x,g-w", 0o746],
  ];
  for (const [mode, text, after] of rows) {
    const got = changedMode(mode, text, 0o022).toString(8);
    assertEquals(got, after.toString(8), `${mode.toString(8)} ${text}`);
  }
});

Deno.test("changedMode() refuses what is no mode", () => {
  for (const text of ["", "8", "u", "x+u+", "u+y", "10000", "77777", "u+x,", "rwx"]) {
    assertThrows(() => changedMode(0o100644, text), UsageError, "is no mode");
  }
});
