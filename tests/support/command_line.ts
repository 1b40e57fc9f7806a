/**
 * The real command line in a process of its own.
 *
 * Layer: tests. Use: `const { status, out, err } = cairn(["check", image])`.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

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

/** Runs `cairn` with these words. */
export function cairn(args: readonly string[], { cwd }: { cwd?: string | undefined } = {}): Ended {
  const output = command(args, { cwd }).outputSync();
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
  { cwd, stdin = "null" }: { cwd?: string | undefined; stdin?: "null" | "piped" } = {},
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", CONFIG, MAIN, ...args],
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
export function assertFails(args: readonly string[], line: RegExp, cwd?: string): void {
  const { status, out, err } = cairn(args, { cwd });
  assertEquals([status, out], [2, ""], err);
  assertEquals(err.trimEnd().split("\n").length, 1, err);
  assertMatch(err, line);
}

/** What every verb that opens an image refuses. */
export function refusesBadImages(folder: string, verb: readonly string[]): void {
  const [name, ...rest] = verb as [string, ...string[]];
  Deno.writeTextFileSync(`${folder}/text`, "no volume ".repeat(2000));
  assertFails([name, `${folder}/missing`, ...rest], /cairn \w+: ".*missing": ENOENT/);
  assertFails([name, `${folder}/text`, ...rest], /cairn \w+: ".*text": EINVAL: .*magic/);
  assertFails([name, folder, ...rest], /cairn \w+: ".*": E(INVAL|ISDIR)/);
}
