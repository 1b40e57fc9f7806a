/**
 * `cairn mount`: a volume as a directory of this computer.
 *
 * Layer: cli, over `adapters/fuse.ts`. Linux, under Deno. A process cannot split itself here, so
 * without `--foreground` a second one is started, which mounts and stays; this one waits until the
 * directory shows the volume, passes on what the other says, and ends.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type KernelMount, mountImage } from "../../adapters/fuse.ts";
import { ErrnoError } from "../../mod.ts";
import { MountLog } from "./mount_log.ts";
import {
  at,
  type Call,
  EXIT_FAILED,
  EXIT_GOOD,
  numberOption,
  UsageError,
  type Verb,
} from "../shared/verb.ts";
import { printable } from "../shared/words.ts";

/** The verb. */
export const mountVerb: Verb = {
  name: "mount",
  usage:
    "mount [--read-only] [--allow-other] [--attr-timeout N] [--log FILE] [--foreground] IMAGE DIR",
  summary: "Shows a volume as a directory, on Linux",
  help: `  --read-only       change nothing
  --allow-other     let other users look in; the files' modes say what they may
  --attr-timeout N  let the kernel remember names and attributes for N seconds (60)
  --log FILE        add to FILE, in words, what goes wrong; the system's log gets it anyway
  --foreground      stay, and unmount on Ctrl-C

Root needs nothing else; other users need fusermount3, which Debian has in fuse3, and
see what belongs to root in the volume as their own.
\`umount DIR\` ends it, or \`fusermount3 -u DIR\`. What programs have synced is durable
at once, anything else within five seconds.

Examples:
  cairn mount notes.cairn /mnt/notes
  cairn mount --foreground --read-only notes.cairn /mnt/notes
`,
  options: {
    "read-only": { type: "boolean" },
    "allow-other": { type: "boolean" },
    "attr-timeout": { type: "string" },
    "log": { type: "string" },
    "foreground": { type: "boolean" },
  },
  words: [2, 2],
  run,
};

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const LOG_SOCKET = "/dev/log";
const NO_LOG = "note: there is no system log here: --log FILE keeps what goes wrong";
/** The second process says this when the directory shows the volume. */
const READY = "mounted on";

async function run(call: Call): Promise<number> {
  if (!("Deno" in globalThis) || process.platform !== "linux") {
    throw new ErrnoError("ENOTSUP", "mount", {
      why: "it takes Linux, and Deno to run this program",
    });
  }
  const timeout = numberOption(call, "attr-timeout");
  return call.options.foreground === true
    ? await stay(call, timeout)
    : await startAnother(call, timeout);
}

async function stay({ words, options, terminal }: Call, timeout?: number): Promise<number> {
  const [image, directory] = words as [string, string];
  const log = new MountLog(image, { path: logOf(options), terminal });
  const settings = {
    report: log.add,
    readOnly: options["read-only"] === true,
    allowOther: options["allow-other"] === true,
    attrTimeoutMs: timeout === undefined ? undefined : timeout * 1000,
  };
  let mount: KernelMount | null = null;
  let isOver = false;
  // Before it is mounted: a signal must never end the process and leave a mount.
  const stop = (): void => {
    isOver = true;
    // A failure is heard through `finished`, or else by the next signal.
    mount?.unmount({ force: true }).catch(() => {});
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    mount = await mountImage(image, directory, settings);
    terminal.print(`"${printable(image)}" is ${READY} "${printable(mount.directory)}"\n`);
    terminal.flush();
    if (isOver) stop();
    await mount.finished;
  } catch (error) {
    // No process may be left to read what was printed; the mount must not stay without its keeper.
    await mount?.unmount({ force: true }).catch(() => {});
    throw error;
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
    log.close();
  }
  return EXIT_GOOD;
}

function logOf({ log }: Call["options"]): string | undefined {
  if (log === "-") throw new UsageError('"-" is no log: --foreground says everything here');
  return typeof log === "string" ? log : undefined;
}

async function startAnother({ words, options, terminal }: Call, timeout?: number): Promise<number> {
  const [image, directory] = words as [string, string];
  const flags = ["--foreground"];
  if (options["read-only"] === true) flags.push("--read-only");
  if (options["allow-other"] === true) flags.push("--allow-other");
  if (options.debug === true) flags.push("--debug");
  if (timeout !== undefined) flags.push("--attr-timeout", String(timeout));
  const log = logOf(options);
  if (log !== undefined) flags.push("--log", resolve(log));
  const program = new URL("../main.ts", import.meta.url);
  const script = program.protocol === "file:" ? fileURLToPath(program) : program.href;
  const deno = ["run", "--quiet", "--allow-all", script];
  // Its own session and "/" as its place: it outlives this terminal and keeps no folder busy.
  const child = spawn(process.execPath, [
    ...deno,
    "mount",
    ...flags,
    "--",
    resolve(image),
    resolve(directory),
  ], { cwd: "/", detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const { status, output, messages } = await at(image, () => firstWords(child));
  if (status === null) {
    terminal.print(output);
    if (log === undefined && !existsSync(LOG_SOCKET)) terminal.say(NO_LOG);
  } else for (const line of messages.split("\n").filter((line) => line !== "")) terminal.say(line);
  return status ?? EXIT_GOOD;
}

interface FirstWords {
  /** How the process ended; null if it stays. */
  status: number | null;
  /** What it printed. */
  output: string;
  /** What it said beside that. */
  messages: string;
}

/** Listens until the process is ready or gone, and lets it be. */
function firstWords(child: ChildProcess): Promise<FirstWords> {
  const { promise, resolve: settle, reject } = Promise.withResolvers<FirstWords>();
  let output = "";
  let messages = "";
  child.stderr!.on("data", (bytes) => messages += bytes);
  child.stdout!.on("data", (bytes) => {
    output += bytes;
    if (!output.includes(READY)) return;
    child.stdout!.destroy();
    child.stderr!.destroy();
    child.unref();
    settle({ status: null, output, messages });
  });
  child.on("error", reject);
  child.on("close", (status) => settle({ status: status ?? EXIT_FAILED, output, messages }));
  return promise;
}
