/**
 * How things are said.
 */
import { assertEquals } from "@std/assert";
import {
  count,
  findingLine,
  printable,
  printReport,
  sizeText,
  timeText,
  typeName,
} from "../../../cli/shared/words.ts";
import type { Finding } from "../../../opfs/volume/upkeep/transfer.ts";

Deno.test("typeName() knows every type", () => {
  const modes = [0o100644, 0o040755, 0o120777, 0o010600, 0o140600, 0o020600, 0o060600, 0];
  assertEquals(modes.map(typeName), [
    "file",
    "dir",
    "symlink",
    "fifo",
    "socket",
    "char",
    "block",
    "unknown",
  ]);
});

Deno.test("printable() lets no control character through, and stays one to one", () => {
  assertEquals(printable("plain ü 日"), "plain ü 日");
  assertEquals(printable("a\nb\\n\x1b[2J\x7f\x9b"), "a\\nb\\\\n\\x1b[2J\\x7f\\x9b");
});

Deno.test("timeText(), sizeText() and count() are short", () => {
  assertEquals(timeText(-1.5), "1969-12-31T23:59:59Z");
  assertEquals(timeText(1e300), "1e+300 ms");
  assertEquals([0, 1023, 1024, 1.5 * 1024 ** 3, 2 ** 63].map(sizeText), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "1.5 GiB",
    "8192.0 PiB",
  ]);
  assertEquals([count(1, "file"), count(2, "directory")], ["1 file", "2 directories"]);
});

Deno.test("findingLine() names path or slot, in one line", () => {
  const finding: Finding = { code: "x", severity: "note", message: "why\nso", path: "/a\n" };
  assertEquals(findingLine(finding), 'note: x: "/a\\n": why\\nso');
  assertEquals(
    findingLine({ code: "x", severity: "lost", message: "m", slot: 3 }),
    "lost: x: slot 3: m",
  );
});

Deno.test("printReport() says what there is, what was dropped, and the status", () => {
  const said: string[] = [];
  const terminal = {
    print: (text: string) => void said.push(text),
    say: (line: string) => void said.push(line),
    write: () => {},
    show: () => {},
    flush: () => {},
  };
  const counts = { files: 1, directories: 2, symlinks: 0, special: 0, hardLinks: 1, bytes: 9 };
  const report = { ...counts, isComplete: true, findings: [], droppedFindings: 3 };
  assertEquals(printReport(terminal, report, false), 0);
  assertEquals(said, ["note: 3 more findings", "1 file, 2 directories, 1 hard link, 9 bytes\n"]);
  assertEquals(printReport(terminal, { ...report, isComplete: false }, true), 1);
});
