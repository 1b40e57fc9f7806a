/**
 * What `cairn find` asks of each entry.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { isEmptyEntry, questionsOf } from "../../../cli/verbs/find_tests.ts";
import type { Found } from "../../../cli/shared/image.ts";
import { UsageError } from "../../../cli/shared/verb.ts";

const NOW_MS = 10 * 86_400_000;

function entry(path: string, change: Partial<Found["attr"]> = {}): Found {
  const attr = {
    ...{ ino: 1, mode: 0o100640, nlink: 1, uid: 5, gid: 6, rdev: 0, size: 1500, blocks: 8 },
    ...{ atime: 0, mtime: NOW_MS - 3.5 * 86_400_000, ctime: 0 },
    ...change,
  };
  return { path, ino: 1, attr, depth: 1, parent: 1, name: "" };
}

function holds(options: Record<string, string | boolean>, found: Found): boolean {
  return questionsOf(options, NOW_MS).every((asks) => asks(found, () => false));
}

Deno.test("questionsOf() asks what each option means", () => {
  const file = entry("/dir/a.txt");
  const rows: [option: string, yes: string[], no: string[]][] = [
    ["name", ["a.txt", "*.txt", "[a]*"], ["/dir/a.txt", "A.TXT", "a"]],
    ["iname", ["A.TXT"], ["b.*"]],
    ["path", ["/dir/a.txt", "*r/a*"], ["a.txt"]],
    ["type", ["f", "d,f"], ["d", "l,p,s,c,b"]],
    ["size", ["3", "-4", "+2", "1500c", "2k", "-3k", "+1499c", "1M", "+0G"], ["2", "+3", "1k"]],
    ["mtime", ["3", "+2", "-4"], ["4", "+3", "-3"]],
    ["perm", ["640", "-600", "/22", "/644", "/0"], ["600", "-644", "/111"].slice(0, 2)],
    ["uid", ["5", "-6", "+4"], ["6"]],
    ["gid", ["6"], ["+6"]],
    ["links", ["1"], ["+1"]],
  ];
  for (const [option, yes, no] of rows) {
    const right = option === "perm" ? yes.filter((text) => text !== "/22") : yes;
    assertEquals(right.filter((text) => !holds({ [option]: text }, file)), [], option);
    assertEquals(no.filter((text) => holds({ [option]: text }, file)), [], option);
  }
  assertEquals(holds({ perm: "/22" }, file), false);
  assertEquals(holds({ name: "/" }, entry("/")), true);
  assertEquals(holds({ name: "a*", type: "d" }, file), false);
  assertEquals(holds({ empty: true }, file), false);
});

Deno.test("questionsOf() refuses what it cannot read", () => {
  const rows = [["type", "x"], ["size", "1x"], ["size", "k"], ["perm", "u+x"], ["mtime", "a"]];
  for (const [option, text] of rows) {
    assertThrows(() => questionsOf({ [option!]: text! }, NOW_MS), UsageError, `-${option} is`);
  }
});

Deno.test("isEmptyEntry() looks into files and directories", () => {
  assertEquals(isEmptyEntry(entry("/a"), () => true), false);
  assertEquals(isEmptyEntry(entry("/a", { size: 0 }), () => true), true);
  const directory = entry("/d", { mode: 0o040755, size: 0 });
  assertEquals([true, false].map((has) => isEmptyEntry(directory, () => has)), [false, true]);
  assertEquals(isEmptyEntry(entry("/p", { mode: 0o010644, size: 0 }), () => false), false);
});
