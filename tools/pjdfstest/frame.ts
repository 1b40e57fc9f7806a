/**
 * A scratch copy of the suite's frame: our client in place of its command, its shell library with
 * ours after it, and its scripts as links. Nothing of the suite stays or is kept here.
 *
 * @module
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostCommand } from "../programs.ts";

const HERE = new URL(".", import.meta.url).pathname;

/** The folders that have something to say on Linux. */
const FOLDERS = [
  "chmod",
  "chown",
  "ftruncate",
  "link",
  "mkdir",
  "mkfifo",
  "mknod",
  "open",
  "rename",
  "rmdir",
  "symlink",
  "truncate",
  "unlink",
  "utimensat",
];

/** The one construct that a shell function cannot catch: a redirect into a test file. */
const REDIRECT = /^(\s*)echo (\S+) > (\$\{n\w+\})\s*$/mg;

/** What to run of which suite. */
export interface FrameOptions {
  /** The checkout. */
  suite: string;
  /** The file system's name as the suite gets it: "EXT4" turns on stricter assertions. */
  fs: string;
  /** Only these scripts, such as "rename/00"; all if empty. */
  only: readonly string[];
}

/** The scratch folder and its scripts. */
export interface Frame {
  /** The scratch folder. */
  path: string;
  /** The scripts, such as "rename/00.t". */
  scripts: string[];
  /** Removes the folder. */
  remove(): void;
}

/** Makes the scratch copy. Needs a C compiler, named `cc`. */
export function makeFrame({ suite, fs, only }: FrameOptions): Frame {
  const path = mkdtempSync(join(tmpdir(), "pjdfstest-"));
  const tests = join(path, "tests");
  compile(join(HERE, "client.c"), join(path, "pjdfstest"));
  mkdirSync(tests);
  mkdirSync(join(path, "cwd"));
  writeFileSync(join(tests, "conf"), `os=Linux\nGREP=grep\nfs="${fs}"\n`);
  const library = readFileSync(join(suite, "tests/misc.sh"), "utf8");
  writeFileSync(
    join(tests, "misc.sh"),
    `${library}\n${readFileSync(join(HERE, "lib.sh"), "utf8")}`,
  );
  const scripts = FOLDERS.flatMap((folder) => linkScripts(folder, { suite, tests, only }));
  return { path, scripts, remove: () => rmSync(path, { recursive: true, force: true }) };
}

function compile(source: string, program: string): void {
  const { success, stderr } = hostCommand("cc", { args: ["-O2", "-o", program, source] })
    .outputSync();
  if (!success) throw new Error(`cannot compile the client: ${new TextDecoder().decode(stderr)}`);
}

/** Puts the scripts of a folder that are wanted into the scratch copy. */
export function linkScripts(
  folder: string,
  { suite, tests, only }: { suite: string; tests: string; only: readonly string[] },
): string[] {
  mkdirSync(join(tests, folder));
  const names = readdirSync(join(suite, "tests", folder)).filter((name) => name.endsWith(".t"));
  const wanted = names.sort().filter((name) => isWanted(`${folder}/${name.slice(0, -2)}`, only));
  for (const name of wanted) {
    const from = join(suite, "tests", folder, name);
    const text = readFileSync(from, "utf8");
    const ours = text.replace(REDIRECT, "$1vwrite $3 $2");
    if (ours === text) symlinkSync(from, join(tests, folder, name));
    else writeFileSync(join(tests, folder, name), ours);
  }
  return wanted.map((name) => `${folder}/${name}`);
}

function isWanted(script: string, only: readonly string[]): boolean {
  return only.length === 0 ||
    only.some((entry) => script === entry || script.startsWith(`${entry}/`));
}
