/**
 * Every verb that takes several places goes on after a bad one, says it, and ends with 1; with 2 when
 * nothing worked.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { Attempts, PlaceError, UsageError } from "../../cli/shared/verb.ts";
import { cairnLines, inFolder } from "../support/command_line.ts";

/** Each verb, and what shows that both good places were done: the output, or a later line's. */
const VERBS: readonly [words: string[], good: RegExp, look?: string[]][] = [
  [["ls", "v", "/a", "/no", "/b"], /^\/a\n\/b$/m],
  [["cat", "v", "/a", "/no", "/b"], /^aaabbb$/],
  [["stat", "v", "/a", "/no", "/b"], /\/a\n[^]*\/b\n/],
  [["du", "v", "/d", "/no", "/e"], /\/d\n[^]*\/e\n/],
  [["find", "v", "/a", "/no", "/b"], /^\/a\n\/b$/m],
  [["df", "v", "no", "w"], / v\n[^]* w\n/],
  [["chmod", "v", "600", "/a", "/no", "/b"], /(-rw-{7}.*\n){2}/, ["ls", "-l", "v", "/a", "/b"]],
  [["chown", "v", "7", "/a", "/no", "/b"], /(-rw.* 7 .*\n){2}/, ["ls", "-l", "v", "/a", "/b"]],
  [["touch", "-d", "@0", "v", "/a", "/no/x", "/b"], /(.* 1970-.*\n){2}/, [
    "ls",
    "-l",
    "v",
    "/a",
    "/b",
  ]],
  [["truncate", "-s", "9", "v", "/a", "/no/x", "/b"], /(-rw.* 9 .*\n){2}/, [
    "ls",
    "-l",
    "v",
    "/a",
    "/b",
  ]],
  [["mkdir", "v", "/n1", "/no/x", "/n2"], /n1\nn2\n/, ["ls", "v"]],
  [["mv", "v", "/a", "/no", "/b", "/d"], /^a\nb\n/, ["ls", "v", "/d"]],
  [["cp", "v:/d/a", "v:/no", "v:/d/b", "w:/"], /^a\nb\n/, ["ls", "w"]],
  [["cp", "v:/d/a", "v:/no", "v:/d/b", "-"], /^a{9}b{9}$|aaa[^]*bbb/],
  [["cp", "w:/a", "no:/x", "w:/b", "v:/e"], /^a\nb\n/, ["ls", "v", "/e"]],
  [["cp", "w:/a", "no.cairn", "w:/b", "v:/"], /a\nb\n/, ["ls", "v"]],
  [["rm", "v", "/d/a", "/no", "/d/b"], /^$/, ["ls", "v", "/d"]],
];

Deno.test("cairn goes on after a bad place, in every verb that takes several", () => {
  inFolder((folder) => {
    for (const name of ["a", "b"]) Deno.writeTextFileSync(`${folder}/${name}`, name.repeat(3));
    cairnLines([
      ...["v", "w"].map((image) => ["mkfs", image]),
      ...["a", "b"].map((name) => ["put", "v", name]),
      ["mkdir", "v", "/d", "/e"],
    ], { cwd: folder });
    const lines = VERBS.flatMap(([words, , look]) => look === undefined ? [words] : [words, look]);
    const ended = cairnLines(lines, { cwd: folder });
    for (const [words, good, look] of VERBS) {
      const { status, err, out } = ended.shift()!;
      const what = `${words.join(" ")}: ${err}`;
      assertEquals(status, 1, what);
      assertMatch(err, new RegExp(`^cairn ${words[0]}: ".*no.*": ENOENT`), what);
      assertEquals(err.trimEnd().split("\n").length, 1, what);
      assertMatch(look === undefined ? out : ended.shift()!.out, good, what);
    }
  });
});

Deno.test("Attempts says each failure, and distinguishes some that worked from none", async () => {
  const said: string[] = [];
  const attempts = new Attempts({ reportError: (error) => void said.push(String(error)) });
  const fail = (): never => {
    throw new Error("no");
  };
  assertEquals(attempts.status, 0);
  attempts.at("one", fail);
  await attempts.atLength("two", () => Promise.reject(new Error("no")));
  for (
    const _ of attempts.steps(function* () {
      yield 1;
      throw new PlaceError("three", new Error("no"));
    })
  );
  assertEquals(attempts.status, 2);
  attempts.at("four", () => {});
  assertEquals(attempts.status, 1);
  assertEquals(said, ["one", "two", "three"].map((place) => `PlaceError: "${place}": no`));
});

Deno.test("Attempts ends at once for what is about no place", () => {
  const attempts = new Attempts({ reportError: () => {} });
  let message = "";
  try {
    attempts.at("one", () => {
      throw new UsageError("no sense");
    });
  } catch (error) {
    message = String(error);
  }
  assertMatch(message, /no sense/);
});
