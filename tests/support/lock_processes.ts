/**
 * Processes of Deno and of Node that open a host file and hold it, for the tests of its lock.
 *
 * Layer: tests. Use: `const hosts = await openers(); const holder = await hosts.node.hold(path); …
 * await kill(holder)`. A host that has no way to lock by device and inode is `nameless`: Node without
 * the program that does it.
 *
 * @module
 */
import { assertStringIncludes } from "@std/assert";
import * as esbuild from "esbuild";
import { hostCommand } from "../../tools/programs.ts";

const SOURCE = new URL("../../opfs/device/file.ts", import.meta.url).href;

/** One way to open a file in another process. */
export interface Opener {
  /** Opens the file and keeps it until it is killed; `path` may be relative to `cwd`. */
  hold(path: string, cwd?: string): Promise<Deno.ChildProcess>;
  /** Opens and closes each: lines of "open", or the message. */
  open(path: string | readonly string[], cwd?: string): Promise<string>;
}

/** Code that opens a file, says so, and waits to be killed. */
function holding(path: string): string {
  return `import { fileHandle } from ${JSON.stringify(SOURCE)};
    const handle = fileHandle(${JSON.stringify(path)});
    console.log("held");
    setInterval(() => handle.getSize(), 1000);`;
}

function opening(paths: readonly string[]): string {
  return `import { fileHandle } from ${JSON.stringify(SOURCE)};
    for (const path of ${JSON.stringify(paths)}) {
      try {
        fileHandle(path).close();
        console.log("open");
      } catch (error) {
        console.log(error.message);
      }
    }`;
}

/** What Node can import. */
async function bundled(): Promise<string> {
  const { outputFiles } = await esbuild.build({
    entryPoints: [new URL(SOURCE).pathname],
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
  });
  await esbuild.stop();
  return `data:text/javascript,${encodeURIComponent(outputFiles[0]!.text)}`;
}

interface DenoStart {
  cwd: string | undefined;
  permissions: readonly string[];
  prefix: readonly string[];
}

function denoCommand(code: string, { cwd, permissions, prefix }: DenoStart): Deno.Command {
  const script = `data:text/javascript,${encodeURIComponent(code)}`;
  const words = ["run", "--no-config", "--quiet", "--no-prompt", ...permissions, script];
  const [program, ...args] = [...prefix, Deno.execPath(), ...words];
  return hostCommand(program!, { args, cwd, stdout: "piped", stderr: "inherit" });
}

/** Deno, with these permissions; `prefix` is a program that starts it. */
export function denoOpener(
  permissions: string[] = ["--allow-all"],
  prefix: readonly string[] = [],
): Opener {
  return openerOf((code, cwd) => denoCommand(code, { cwd, permissions, prefix }));
}

/** The hosts; `prefix` is a program that starts Node. */
export async function openers(
  prefix: readonly string[] = [],
): Promise<Record<"deno" | "node" | "nameless", Opener>> {
  const bundle = await bundled();
  const nodeCommand = (code: string, cwd?: string): Deno.Command => {
    const words = ["node", "--input-type=module", "-e", code.replaceAll(SOURCE, bundle)];
    const [program, ...args] = [...prefix, ...words];
    return hostCommand(program!, { args, cwd, stdout: "piped", stderr: "inherit" });
  };
  const withoutPath = "process.env.PATH = '/nonexistent';\n";
  return {
    deno: denoOpener(),
    node: openerOf(nodeCommand),
    nameless: openerOf((code, cwd) => nodeCommand(withoutPath + code, cwd)),
  };
}

function openerOf(commandOf: (code: string, cwd?: string) => Deno.Command): Opener {
  return {
    async hold(path, cwd) {
      const child = commandOf(holding(path), cwd).spawn();
      const reader = child.stdout.getReader();
      const { value } = await reader.read();
      assertStringIncludes(new TextDecoder().decode(value), "held");
      reader.releaseLock();
      return child;
    },
    async open(path, cwd) {
      const { stdout } = await commandOf(opening([path].flat()), cwd).output();
      return new TextDecoder().decode(stdout).trim();
    },
  };
}

/** Kills a holder as a crash does. */
export async function kill(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await child.stdout.cancel();
  await child.status;
}

/** Runs in a folder of its own. */
export async function inFolderOfLocks(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "cairn-lock-" }));
  try {
    await body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
