/**
 * Where something is that is copied.
 */
import { assertEquals, assertThrows } from "@std/assert";
import {
  freeName,
  isSameFile,
  lastName,
  parentPath,
  placeOf,
  placeText,
} from "../../../cli/shared/place.ts";
import { UsageError } from "../../../cli/shared/verb.ts";
import { inFolder } from "../../support/command_line.ts";

Deno.test("placeOf() divides a word at its first colon with a slash after it", () => {
  assertEquals(placeOf("a/v.cairn:/x"), { image: "a/v.cairn", path: "/x" });
  assertEquals(placeOf("v:/a:/b"), { image: "v", path: "/a:/b" });
  assertEquals(placeOf("v:/"), { image: "v", path: "/" });
  for (const word of ["a", "/a/b", "12:30.txt", ":/a", "-"]) {
    assertEquals(placeOf(word), { image: null, path: word });
  }
  for (const word of ["v:/a", "a"]) assertEquals(placeText(placeOf(word)), word);
});

Deno.test("placeOf() refuses what cannot be meant", () => {
  assertThrows(() => placeOf(""), UsageError, "empty");
  inFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/v`, "");
    assertThrows(() => placeOf(`${folder}/v:a`), UsageError, `write "${folder}/v:/a"`);
    Deno.writeTextFileSync(`${folder}/v:a`, "");
    assertEquals(placeOf(`${folder}/v:a`).image, null);
  });
});

Deno.test("lastName() and parentPath() take a path apart", () => {
  const rows: [path: string, name: string, parent: string][] = [
    ["a", "a", "."],
    ["/a", "a", "/"],
    ["/a/b//", "b", "/a"],
    ["/", "", "/"],
    ["/a/.", "", "/a"],
    ["..", "", "."],
    ["/...", "...", "/"],
  ];
  for (const [path, name, parent] of rows) {
    assertEquals([lastName(path), parentPath(path)], [name, parent], path);
  }
});

Deno.test("freeName() gives an unused name", () => {
  const first = freeName(() => false);
  assertEquals(first.startsWith("."), true);
  const second = freeName((name) => name === first);
  assertEquals(second !== first && freeName(() => false) === first, true);
});

Deno.test("isSameFile() sees through names and links", () => {
  inFolder((folder) => {
    for (const name of ["a", "b"]) Deno.writeTextFileSync(`${folder}/${name}`, "");
    Deno.linkSync(`${folder}/a`, `${folder}/hard`);
    Deno.symlinkSync("a", `${folder}/soft`);
    const same = (other: string) => isSameFile(`${folder}/a`, `${folder}/${other}`);
    assertEquals(["a", "hard", "soft", "b", "none"].map(same), [true, true, true, false, false]);
    assertEquals(isSameFile(`${folder}/none`, `${folder}/none`), false);
  });
});
