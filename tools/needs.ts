/**
 * Every program that tests, benches and tools start: where it is, which package brings it, and which
 * suite cannot run without it. Below tools/setup.ts, which installs them, and tools/programs.ts, which
 * starts no program without a row here. The browser suites ask it for their browser:
 * `executablePath: browserPath("Chromium")`.
 *
 * Playwright loads this file as CommonJS, so neither it nor what it imports may say `import.meta`.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import process from "node:process";

/** Something a suite needs that no package registry of ours can give. */
export interface Tool {
  /** As the messages call it. */
  name: string;
  /** The Debian package it comes with. */
  package: string;
  /** The stages of tools/stages.ts that cannot run without it; `test:mount` is that command. */
  suites: readonly string[];
  /** The stages of which only some tests need it: these fail by name, the others run. */
  someOf?: readonly string[];
  /** Names under which the program may stand in the PATH, the preferred one first. */
  commands?: readonly string[];
  /** A variable that names the program outright. */
  variable?: string;
  /** Not a program but a file that clang knows for this question. */
  clangFile?: string;
  /** Not a program but a file that stands there. */
  file?: string;
}

/**
 * What every Debian has, the smallest one too (`debootstrap --variant=minbase`), by package; the
 * script that makes a fresh machine looks whether it is so.
 */
export const BASE: Readonly<Record<string, readonly string[]>> = {
  bash: ["bash"],
  bsdutils: ["script"],
  coreutils: [
    ...[
      "cat",
      "chmod",
      "chown",
      "cp",
      "cut",
      "dd",
      "dirname",
      "env",
      "expr",
      "head",
      "id",
      "ln",
      "ls",
    ],
    ...["mkdir", "mkfifo", "mknod", "mv", "printf", "readlink", "rm", "rmdir", "seq", "sleep"],
    ...["sort", "stat", "sync", "tail", "timeout", "touch", "tr", "truncate", "wc"],
  ],
  dash: ["sh"],
  diffutils: ["cmp", "diff"],
  dpkg: ["dpkg-query"],
  findutils: ["find"],
  grep: ["grep"],
  gzip: ["gzip"],
  "libc-bin": ["getent"],
  mount: ["mount", "umount"],
  sed: ["sed"],
  tar: ["tar"],
  "util-linux": ["fallocate", "flock", "setpriv", "setsid", "unshare"],
};

/** The C library's headers are there if this one is. */
const STDIO = "/usr/include/stdio.h";

/** Everything there is to install. */
export const TOOLS: readonly Tool[] = [
  {
    name: "Chromium",
    package: "chromium",
    suites: ["chromium"],
    commands: ["chromium", "chromium-browser", "google-chrome"],
    variable: "CHROMIUM_BIN",
  },
  {
    name: "Firefox",
    package: "firefox-esr",
    suites: ["firefox"],
    commands: ["firefox-esr", "firefox"],
    variable: "FIREFOX_BIN",
  },
  {
    name: "Emscripten",
    package: "emscripten",
    suites: ["programs"],
    commands: ["emcc"],
  },
  { name: "clang", package: "clang", suites: ["programs"], commands: ["clang"] },
  { name: "lld", package: "lld", suites: ["programs"], commands: ["wasm-ld"] },
  {
    name: "the C library for WASI",
    package: "wasi-libc",
    suites: ["programs"],
    clangFile: "-print-file-name=crt1.o",
  },
  {
    name: "clang's runtime for wasm32",
    package: "libclang-rt-14-dev-wasm32",
    suites: ["programs"],
    clangFile: "-print-libgcc-file-name",
  },
  { name: "fusermount3", package: "fuse3", suites: ["mount"], commands: ["fusermount3"] },
  // Started by single tests.
  {
    name: "setfattr",
    package: "attr",
    suites: ["test:mount"],
    someOf: ["unit"],
    commands: ["setfattr"],
  },
  { name: "getfattr", package: "attr", suites: ["test:mount"], commands: ["getfattr"] },
  {
    name: "Python",
    package: "python3",
    suites: ["test:mount"],
    someOf: ["unit"],
    commands: ["python3"],
  },
  { name: "Node", package: "nodejs", suites: [], someOf: ["unit"], commands: ["node"] },
  // Started by workloads on a mount, and by the conformance command.
  { name: "a C compiler", package: "gcc", suites: ["test:mount"], commands: ["cc", "gcc"] },
  { name: "the assembler", package: "binutils", suites: ["test:mount"], commands: ["as"] },
  { name: "the linker", package: "binutils", suites: ["test:mount"], commands: ["ld"] },
  { name: "the archiver", package: "binutils", suites: ["test:mount"], commands: ["ar"] },
  { name: "the C library's headers", package: "libc6-dev", suites: ["test:mount"], file: STDIO },
  {
    name: "make",
    package: "make",
    suites: ["test:mount"],
    commands: ["make"],
  },
  { name: "git", package: "git", suites: ["test:mount"], commands: ["git"] },
  { name: "SQLite", package: "sqlite3", suites: ["test:mount"], commands: ["sqlite3"] },
  { name: "fio", package: "fio", suites: ["test:mount"], commands: ["fio"] },
  { name: "stress-ng", package: "stress-ng", suites: ["test:mount"], commands: ["stress-ng"] },
  { name: "setfacl", package: "acl", suites: ["test:mount"], commands: ["setfacl"] },
  { name: "setcap", package: "libcap2-bin", suites: ["test:mount"], commands: ["setcap"] },
  { name: "getcap", package: "libcap2-bin", suites: ["test:mount"], commands: ["getcap"] },
  { name: "kill", package: "procps", suites: ["test:mount"], commands: ["kill"] },
  {
    name: "prove",
    package: "perl",
    suites: ["test:mount"],
    commands: ["prove"],
  },
];

/** The variables to look into; a test hands in its own, since those of the process are shared. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Why a suite cannot run; null if it can. */
export function whyBlocked(suite: string, missing: readonly Tool[]): string | null {
  const names = missing.filter((tool) => tool.suites.includes(suite)).map((tool) => tool.name);
  return names.length === 0 ? null : `cannot run without ${names.join(", ")}`;
}

/** Whether a suite, or some tests of it, need a tool. */
export function isNeeded(tool: Tool, suite: string): boolean {
  return tool.suites.includes(suite) || (tool.someOf?.includes(suite) ?? false);
}

/** The row of a program, by a name under which it may stand in the PATH. */
export function toolOf(name: string): Tool | undefined {
  return TOOLS.find((tool) => tool.commands?.includes(name));
}

/** The names of all programs that may be started. */
export function programNames(): string[] {
  return [...Object.values(BASE).flat(), ...TOOLS.flatMap((tool) => tool.commands ?? [])];
}

/** The absolute path of a program, null if it is not there. */
export function findProgram(
  tool: Pick<Tool, "commands" | "variable">,
  env: Environment = process.env,
): string | null {
  const named = tool.variable === undefined ? undefined : env[tool.variable];
  if (named !== undefined && named !== "") return existsSync(named) ? named : null;
  const folders = (env.PATH ?? "").split(delimiter).filter(isAbsolute);
  const candidates = (tool.commands ?? []).flatMap((name) => folders.map((at) => join(at, name)));
  return candidates.find(isProgram) ?? null;
}

/** What is wrong with the variable that names a program, which no package can mend; or null. */
export function whyMisled(
  tool: Pick<Tool, "variable">,
  env: Environment = process.env,
): string | null {
  const named = tool.variable === undefined ? "" : env[tool.variable] ?? "";
  if (named === "" || existsSync(named)) return null;
  return `${tool.variable} names "${named}", which is not there`;
}

/** The browser to drive, for the suites; throws when `prepare` was not heeded. */
export function browserPath(
  name: "Chromium" | "Firefox",
  env: Environment = process.env,
): string {
  const tool = TOOLS.find((one) => one.name === name);
  const path = tool === undefined ? null : findProgram(tool, env);
  if (path === null) {
    const why = tool === undefined ? null : whyMisled(tool, env);
    throw new Error(`cannot find ${name}: ${why ?? 'run "deno task setup"'}`);
  }
  return path;
}

/** The tools that are not there now. */
export function findMissing(tools: readonly Tool[], env: Environment = process.env): Tool[] {
  return tools.filter((tool) => {
    if (tool.file !== undefined) return !existsSync(tool.file);
    if (tool.clangFile !== undefined) return !clangKnows(tool.clangFile, env);
    return findProgram(tool, env) === null;
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** clang answers with the bare name when it does not know the file. */
function clangKnows(question: string, env: Environment): boolean {
  const clang = findProgram({ commands: ["clang"] }, env);
  if (clang === null) return false;
  const { stdout } = spawnSync(clang, ["--target=wasm32-wasi", question], { encoding: "utf8" });
  const path = stdout.trim();
  return isAbsolute(path) && existsSync(path);
}
