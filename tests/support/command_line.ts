/**
 * The real command line in a process of its own.
 *
 * Layer: tests. Use: `const { status, out, err } = cairn(["check", image])`.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { damage, forbid, sampleImage, UNPRIVILEGED } from "./bad_images.ts";
import { hostCommand } from "../../tools/programs.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** The words that start the program. */
export const CAIRN: readonly string[] = [
  Deno.execPath(),
  ...["run", "--quiet", "-A", "--config", CONFIG, MAIN],
];

/** The words that start the program which runs many command lines: see there. */
export const MANY: readonly string[] = [
  ...CAIRN.slice(0, -1),
  new URL("./many_lines.ts", import.meta.url).pathname,
];

/** How a command ended. */
export interface Ended {
  /** Its exit status. */
  status: number;
  /** What it printed. */
  out: string;
  /** What it printed, as bytes. */
  bytes: Uint8Array;
  /** What it said. */
  err: string;
}

/** Runs `cairn` with these words; `prefix` is a program that starts it. */
export function cairn(
  args: readonly string[],
  { cwd, prefix }: { cwd?: string | undefined; prefix?: readonly string[] } = {},
): Ended {
  return endedOf(command(args, { cwd, prefix }).outputSync());
}

/** How a process ended, as text. */
export function endedOf(output: Deno.CommandOutput): Ended {
  return {
    status: output.code,
    out: new TextDecoder().decode(output.stdout),
    bytes: output.stdout,
    err: new TextDecoder().decode(output.stderr),
  };
}

/** The command, not yet started. */
export function command(
  args: readonly string[],
  { cwd, stdin = "null", prefix = [] }: {
    cwd?: string | undefined;
    stdin?: "null" | "piped";
    prefix?: readonly string[] | undefined;
  } = {},
): Deno.Command {
  const [program, ...words] = [...prefix, ...CAIRN, ...args] as [string, ...string[]];
  return hostCommand(program, {
    args: words,
    cwd,
    stdin,
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  });
}

/** Runs it in a folder of its own, which is removed afterwards. */
export function inFolder(work: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "cairn-cli-" });
  try {
    work(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** The command fails with status 2 and one line that matches; nothing is printed. */
export function assertFails(
  args: readonly string[],
  line: RegExp,
  cwd?: string,
  prefix?: readonly string[],
): void {
  const { status, out, err } = cairn(args, { cwd, ...(prefix === undefined ? {} : { prefix }) });
  assertEquals([status, out], [2, ""], err);
  assertEquals(err.trimEnd().split("\n").length, 1, err);
  assertMatch(err, line);
}

/** Runs many command lines in one process: see `many_lines.ts`. */
export function cairnLines(
  lines: readonly (readonly string[])[],
  { cwd, prefix = [] }: { cwd?: string | undefined; prefix?: readonly string[] } = {},
): Omit<Ended, "bytes">[] {
  const [program, ...words] = [...prefix, ...MANY, JSON.stringify(lines)];
  const output = hostCommand(program!, { args: words, cwd, stdin: "null" }).outputSync();
  assertEquals(output.code, 0, new TextDecoder().decode(output.stderr));
  return JSON.parse(new TextDecoder().decode(output.stdout));
}

/** A command line that fails, and what its one line of complaint matches. */
export type Failing = readonly [args: readonly string[], line: RegExp];

/** The same for many command lines, in one process. */
export function assertAllFail(
  rows: readonly Failing[],
  { cwd, prefix = [] }: { cwd?: string | undefined; prefix?: readonly string[] } = {},
): void {
  const results = cairnLines(rows.map(([args]) => args), { cwd, prefix });
  for (const [index, { status, out, err }] of results.entries()) {
    const [args, line] = rows[index]!;
    assertEquals([status, out], [2, ""], `${args.join(" ")}: ${err}`);
    assertEquals(err.trimEnd().split("\n").length, 1, err);
    assertMatch(err, line);
  }
  assertEquals(results.length, rows.length);
}

/**
 * What every verb that opens an image refuses: one that is missing, no image, a folder, a damaged one,
 * and one that it may not read. `wordsOf` says where the image stands among the words; else it comes
 * first, as with most.
 */
export function refusesBadImages(
  folder: string,
  [name, ...rest]: readonly [string, ...string[]],
  wordsOf: (image: string) => string[] = (image) => [image, ...rest],
): void {
  Deno.writeTextFileSync(`${folder}/text`, "no volume ".repeat(2000));
  for (const image of ["damaged", "theirs"]) sampleImage(`${folder}/${image}`);
  damage(`${folder}/damaged`);
  forbid(`${folder}/theirs`);
  const rows: Failing[] = [
    [["missing"], /cairn \w+: ".*missing": ENOENT/],
    [["text"], /cairn \w+: ".*text": EINVAL: .*magic/],
    [[""], /cairn \w+: ".*": E(INVAL|ISDIR)/],
    [["damaged"], /cairn \w+: ".*damaged": EIO: /],
    [["theirs"], /cairn \w+: ".*theirs": EACCES: .*; look at the permissions/],
  ];
  const looksIntoDamage = name === "check" || name === "dump";
  const refused = rows.filter(([[image]]) => image !== "damaged" || !looksIntoDamage);
  const named = refused.map(([[image], line]): Failing => [
    [name, ...wordsOf(`${folder}${image === "" ? "" : `/${image}`}`)],
    line,
  ]);
  assertAllFail(named, { prefix: UNPRIVILEGED });
  const [first] = named;
  assertFails(first![0], first![1]);
  for (const image of ["damaged", "theirs"]) Deno.removeSync(`${folder}/${image}`);
}
