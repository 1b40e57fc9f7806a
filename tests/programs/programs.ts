/**
 * How the C programs of this folder are compiled and run: natively, in a module over MEMFS, in a
 * module over a volume. Needs emcc and clang; without them each test fails and says what to install.
 */
import { basename, dirname, fromFileUrl, join, resolve, toFileUrl } from "@std/path";
import { type EmscriptenModule, mountVolume } from "../../adapters/emscripten.ts";
import type { VolumeOps } from "../../mod.ts";
import { hostCommand } from "../../tools/programs.ts";

/** What a program printed, and how it ended. */
export interface Run {
  lines: string[];
  status: number;
}

/** The folder of the sources. */
export const SOURCES: string = dirname(fromFileUrl(import.meta.url));
/** The checkout. */
export const CHECKOUT: string = dirname(dirname(SOURCES));
/** Where the example's program is. */
export const EXAMPLE: string = join(CHECKOUT, "examples", "wasm_c");

/** The options of emcc, as in the example's build script. */
const EMCC_FLAGS = [
  "-O2",
  "-D_GNU_SOURCE",
  "-sMODULARIZE",
  "-sEXPORT_ES6",
  "-sENVIRONMENT=web,worker",
  "-sEXPORTED_RUNTIME_METHODS=FS",
  "-sFORCE_FILESYSTEM",
  "-sEXIT_RUNTIME",
];

/** Runs a command to its end; throws what it said if it failed. */
export async function command(name: string, args: string[], cwd?: string): Promise<string> {
  const decoder = new TextDecoder();
  const env = { NODE_PATH: "/usr/share/nodejs" };
  const output = await hostCommand(name, { args, env, cwd }).output();
  const text = decoder.decode(output.stdout) + decoder.decode(output.stderr);
  if (!output.success) throw new Error(`${name} ${args.join(" ")}\n${text}`);
  return decoder.decode(output.stdout);
}

/** Compiles by emcc; returns the path of the glue. */
export async function compile(source: string, folder: string): Promise<string> {
  const glue = join(folder, basename(source).replace(/\.c$/, ".js"));
  await command("emcc", [...EMCC_FLAGS, resolve(SOURCES, source), "-o", glue]);
  return glue;
}

/** Compiles for this machine; returns the path of the program. */
export async function compileNative(source: string, folder: string): Promise<string> {
  const program = join(folder, source.replace(/^.*\/|\.c$/g, ""));
  await command("clang", ["-O2", "-D_GNU_SOURCE", join(SOURCES, source), "-o", program]);
  return program;
}

/** Runs what `compile` made; `preRun` sets up its filesystem. */
export async function run(
  glue: string,
  args: string[],
  preRun: (module: EmscriptenModule) => void,
): Promise<Run> {
  const { default: create } = await import(toFileUrl(glue).href);
  const lines: string[] = [];
  let status = -1;
  await create({
    arguments: args,
    preRun: [preRun],
    print: (line: string) => lines.push(line),
    printErr: (line: string) => lines.push(`stderr: ${line}`),
    onExit: (code: number) => status = code,
    wasmBinary: await Deno.readFile(glue.replace(/\.js$/, ".wasm")),
  });
  return { lines, status };
}

/** Runs in a directory of a volume, which is made if it is missing. */
export function runOnVolume(
  glue: string,
  { volume, directory, more = [] }: { volume: VolumeOps; directory: string; more?: string[] },
): Promise<Run> {
  return run(glue, [directory, ...more], (module) => {
    mountVolume(module, volume, "/data");
    const name = directory.slice("/data/".length);
    if (name === "" || volume.lookup(volume.root, name) !== 0) return;
    // The permissions that a directory made by a shell has.
    (module.FS as unknown as { mkdir(path: string, mode: number): void }).mkdir(directory, 0o755);
  });
}

/** Runs in the module's own MEMFS. */
export function runOnMemfs(glue: string, directory: string): Promise<Run> {
  return run(glue, [directory], (module) => module.FS.mkdirTree(directory));
}

/** Runs in a directory of this machine. */
export async function runNative(program: string, args: string[]): Promise<Run> {
  const text = await command(program, args);
  return { lines: text.trimEnd().split("\n"), status: 0 };
}

/** "name: result" lines by name; a name twice is a mistake of the program. */
export function byName(lines: readonly string[]): Map<string, string> {
  const results = new Map<string, string>();
  for (const line of lines) {
    const [name = "", ...rest] = line.split(": ");
    if (results.has(name)) throw new Error(`the program says "${name}" twice`);
    results.set(name, rest.join(": "));
  }
  return results;
}

/** A folder that is there while `body` runs. */
export async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "cairn_programs_" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
