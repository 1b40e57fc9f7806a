/** Names that are no UTF-8. */
import { assertEquals } from "@std/assert";
import { GivenNames, nameFrom, shownName } from "../../../cli/tar/names.ts";

const latin = (text: string): Uint8Array =>
  new Uint8Array([...text].map((char) => char.charCodeAt(0)));

Deno.test("nameFrom() keeps all bytes apart, and shownName() writes what is no UTF-8 as %FF", () => {
  const rows: [Uint8Array, string][] = [
    [latin("a\xff"), "a%FF"],
    [latin("\xc3\xa4\xc3A\xff"), "ä%C3A%FF"],
    [latin("\xed\xb3\xbf"), "%ED%B3%BF"],
    [new TextEncoder().encode("\ufeff%FF\u{1f600}"), "\ufeff%FF\u{1f600}"],
    [latin("\xf0\x9f\x98\x80\xff"), "\u{1f600}%FF"],
  ];
  for (const [bytes, shown] of rows) assertEquals(shownName(nameFrom(bytes)), shown);
  assertEquals(new Set(rows.map(([bytes]) => nameFrom(bytes))).size, rows.length);
});

/** Gives names in that order, and takes each in the volume. */
function given(paths: readonly Uint8Array[]): string[] {
  const taken = new Set<string>();
  const names = new GivenNames((path) => taken.has(path));
  return paths.map((bytes) => {
    const { path, isOther } = names.pathOf(nameFrom(bytes).split("/"));
    taken.add(path);
    return `${path}${isOther ? " other" : ""}`;
  });
}

Deno.test("GivenNames gives two names to two members, whichever comes first", () => {
  const [exact, broken] = [latin("a%FF"), latin("a\xff")];
  assertEquals(given([exact, broken, exact, broken]), [
    "/a%FF",
    "/a%FF~2 other",
    "/a%FF",
    "/a%FF~2",
  ]);
  assertEquals(given([broken, exact, broken, exact]), [
    "/a%FF",
    "/a%FF~2 other",
    "/a%FF",
    "/a%FF~2",
  ]);
  const third = [latin("a%FF~2"), exact, broken, latin("a%FF~3")];
  assertEquals(given(third), ["/a%FF~2", "/a%FF", "/a%FF~3 other", "/a%FF~3~2 other"]);
  assertEquals(given([latin("x%FF"), latin("y")]), ["/x%FF", "/y"]);
});

Deno.test("GivenNames distinguishes directories, and what is in them", () => {
  const paths = [
    latin("d%FF"),
    latin("d\xff"),
    latin("d\xff/f"),
    latin("d%FF/f"),
    latin("d\xff/f\xfe/g"),
  ];
  assertEquals(given(paths), [
    "/d%FF",
    "/d%FF~2 other",
    "/d%FF~2/f",
    "/d%FF/f",
    "/d%FF~2/f%FE/g",
  ]);
  // A name below a directory that is exact, and a directory that is said by what is in it alone.
  assertEquals(given([latin("e/x\xff"), latin("e/x%FF"), latin("n\xff/f"), latin("n%FF/f")]), [
    "/e/x%FF",
    "/e/x%FF~2 other",
    "/n%FF/f",
    "/n%FF~2/f other",
  ]);
});
