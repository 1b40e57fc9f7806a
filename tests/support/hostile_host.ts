/**
 * Shell scripts over the command line, small disks, and terminals.
 *
 * Layer: tests, beside `command_line.ts`. Linux. Nothing here needs root, but a system that lets
 * nobody but root have a mount namespace of his own makes `onFullDisk` fail, and it says so.
 *
 * @module
 */
import { CAIRN, type Ended, endedOf } from "./command_line.ts";

const isRoot = Deno.uid() === 0;

/**
 * Runs a shell script on a disk of its own, which is that small, mounted at `folder` for the script
 * alone. In it `cairn` is the command line.
 */
export function onFullDisk(
  script: string,
  { folder, diskBytes }: { folder: string; diskBytes: number },
): Ended {
  const mount = `mount -t tmpfs -o size=${diskBytes} tmpfs "$1" || exit 99`;
  const text = `${mount}\ncairn() { ${CAIRN.map(quoted).join(" ")} "$@"; }\ncd "$1"\n${script}`;
  const namespace = isRoot ? ["--mount"] : ["--user", "--map-root-user", "--mount"];
  const ended = run("unshare", [...namespace, "sh", "-c", text, "sh", folder]);
  if (ended.status === 99 || /^unshare: /m.test(ended.err)) {
    throw new Error(`a small disk takes root, or user namespaces: ${ended.err}`);
  }
  return ended;
}

/** Runs a shell script in which `cairn` is the command line. */
export function inShell(script: string, cwd: string): Ended {
  const text = `cairn() { ${CAIRN.map(quoted).join(" ")} "$@"; }\n${script}`;
  return run("sh", ["-c", text], cwd);
}

/** Runs the command line on a terminal; what it says and prints comes as one text. */
export function onTerminal(args: readonly string[], cwd: string, env = {}): string {
  const line = [...CAIRN, ...args].map(quoted).join(" ");
  return run("script", ["-qec", line, "/dev/null"], cwd, env).out;
}

function run(
  program: string,
  args: string[],
  cwd?: string,
  env: Record<string, string> = { NO_COLOR: "1" },
): Ended {
  return endedOf(new Deno.Command(program, { args, cwd, env, stdin: "null" }).outputSync());
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
