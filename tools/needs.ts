/**
 * What some suites need that no package can bring: browsers and C compilers, where they are, and
 * which suite cannot run without one. Below tools/setup.ts, which installs them. The browser suites
 * ask it for their browser: `executablePath: browserPath("Chromium")`.
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
  /** The stages of tools/stages.ts that cannot run without it. */
  suites: readonly string[];
  /** Names under which the program may stand in the PATH, the preferred one first. */
  commands?: readonly string[];
  /** A variable that names the program outright. */
  variable?: string;
  /** Not a program but a file that clang knows for this question. */
  clangFile?: string;
}

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
  { name: "Emscripten", package: "emscripten", suites: ["programs"], commands: ["emcc"] },
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
];

/** The variables to look into; a test hands in its own, since those of the process are shared. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Why a suite cannot run; null if it can. */
export function whyBlocked(suite: string, missing: readonly Tool[]): string | null {
  const names = missing.filter((tool) => tool.suites.includes(suite)).map((tool) => tool.name);
  return names.length === 0 ? null : `cannot run without ${names.join(", ")}`;
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
  return tools.filter((tool) =>
    tool.clangFile === undefined
      ? findProgram(tool, env) === null
      : !clangKnows(tool.clangFile, env)
  );
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
