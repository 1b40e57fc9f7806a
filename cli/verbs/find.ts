/**
 * `cairn find`: the entries of a volume that answer to a description.
 *
 * Layer: cli, over `find_tests.ts`. The volume is only read; links are not followed.
 *
 * @module
 */
import { filesOf, inoAt, walk, withVolume } from "../shared/image.ts";
import { isEmptyEntry, questionsOf } from "./find_tests.ts";
import { Attempts, type Call, numberOption, type Verb } from "../shared/verb.ts";
import { printable } from "../shared/words.ts";

/** The verb. */
export const findVerb: Verb = {
  name: "find",
  usage: "find IMAGE [PATH...] [-name PATTERN] [-type T] [-size N] ...",
  summary: "Finds entries of a volume by name, type, size, age and more",
  help: `Prints what is below each PATH ("/" without one) and passes all tests. Each test
may be written with one dash or two.

  -name PATTERN   the last name; * ? [a-z] [!a-z], and \\ before what stands for itself
  -iname PATTERN  the same, large and small letters alike
  -path PATTERN   the whole path; * matches slashes, too
  -type T         f, d, l, p, s, c, b, or several with commas
  -size N         N blocks of 512 bytes, or with c, k, M, G bytes and so on, rounded up;
                  +N is more, -N is less, here and below
  -mtime N        last changed N days ago
  -perm MODE      octal: just these bits; -MODE all of them; /MODE any of them
  -uid N, -gid N, -links N
  -empty          a file or a directory with nothing in it
  -mindepth N, -maxdepth N
  -print0         end each with a NUL, names as they are: for xargs -0

Examples:
  cairn find notes.cairn -name '*.jpg' -size +1M
  cairn find notes.cairn /album -type f,l -maxdepth 2
  cairn find notes.cairn -type d -empty -print0 | xargs -0 cairn rm -r notes.cairn --
`,
  options: {
    name: { type: "string" },
    iname: { type: "string" },
    path: { type: "string" },
    type: { type: "string" },
    size: { type: "string" },
    mtime: { type: "string" },
    perm: { type: "string" },
    uid: { type: "string" },
    gid: { type: "string" },
    links: { type: "string" },
    empty: { type: "boolean" },
    mindepth: { type: "string" },
    maxdepth: { type: "string" },
    print0: { type: "boolean" },
  },
  words: [1, Infinity],
  spell,
  run,
};

/** `-name -x` is what find's users write, and parseArgs reads `--name=-x`. */
function spell(args: readonly string[]): string[] {
  const spelled: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (arg === "--") return [...spelled, ...args.slice(index)];
    const name = /^--?([a-z0-9]{2,})$/.exec(arg)?.[1] ?? "";
    const type = findVerb.options?.[name]?.type;
    if (type === "string" && index + 1 < args.length) spelled.push(`--${name}=${args[++index]}`);
    else spelled.push(type === undefined ? arg : `--${name}`);
  }
  return spelled;
}

function run(call: Call): number {
  const attempts = new Attempts(call);
  const [image, ...given] = call.words as [string, ...string[]];
  const { options, terminal } = call;
  const least = numberOption(call, "mindepth") ?? 0;
  const maxDepth = numberOption(call, "maxdepth") ?? Infinity;
  const questions = questionsOf(options, Date.now());
  const lineOf = options.print0 === true
    ? (path: string) => `${path}\0`
    : (path: string) => `${printable(path)}\n`;
  withVolume(image, (volume) => {
    const files = filesOf(volume);
    for (const path of given.length === 0 ? ["/"] : given) {
      attempts.at(`${image}:${path}`, () => {
        const from = { path, ino: inoAt(files, path, { follow: false }) };
        for (const found of walk(volume, { from, maxDepth })) {
          if (found.depth < least) continue;
          const hasNames = (): boolean => volume.readdir(found.ino, 0).length > 0;
          const isEmpty = (): boolean => isEmptyEntry(found, hasNames);
          if (questions.every((asks) => asks(found, isEmpty))) terminal.print(lineOf(found.path));
        }
      });
    }
  });
  return attempts.status;
}
