/** The lock between openers: in one process, in two, under Deno and under Node. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import * as esbuild from "esbuild";
import { ErrnoError } from "../../../abi/errno.ts";
import { fileHandle } from "../../../opfs/device/file.ts";
import { onFullDisk } from "../../support/hostile_host.ts";
import { hostCommand } from "../../../tools/programs.ts";

const source = new URL("../../../opfs/device/file.ts", import.meta.url).href;

/** Opens a file, says so, and waits to be killed. */
const holder = (path: string): string => `
  const { fileHandle } = await import(${JSON.stringify(source)});
  fileHandle(${JSON.stringify(path)});
  console.log("held");
  setInterval(() => {}, 1000);
`;

const opener = (path: string): string => `
  const { fileHandle } = await import(${JSON.stringify(source)});
  try {
    fileHandle(${JSON.stringify(path)}).close();
    console.log("open");
  } catch (error) {
    console.log(error.message);
  }
`;

/** What Node can import. */
async function bundled(): Promise<string> {
  const { outputFiles } = await esbuild.build({
    entryPoints: [new URL(source).pathname],
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
  });
  await esbuild.stop();
  return `data:text/javascript,${encodeURIComponent(outputFiles[0]!.text)}`;
}

function node(bundle: string, code: string): Deno.Command {
  const args = ["--input-type=module", "-e", code.replaceAll(source, bundle)];
  return hostCommand("node", { args, stdout: "piped" });
}

function denoArgs(code: string, folder: string): string[] {
  const permissions = [`--allow-read=${folder}`, `--allow-write=${folder}`, "--no-prompt"];
  return [
    "run",
    "--no-config",
    "--quiet",
    ...permissions,
    `data:text/javascript,${encodeURIComponent(code)}`,
  ];
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    await body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function spawnHolder(command: Deno.Command): Promise<Deno.ChildProcess> {
  const child = command.spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertStringIncludes(new TextDecoder().decode(value), "held");
  reader.releaseLock();
  return child;
}

async function kill(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await child.stdout.cancel();
  await child.status;
}

Deno.test("lockFile() keeps a second opener of this process out", () => {
  const folder = Deno.makeTempDirSync();
  const first = fileHandle(`${folder}/a`);
  const error = assertThrows(() => fileHandle(`${folder}/a`), ErrnoError, "EBUSY");
  assertStringIncludes(error.message, `process ${Deno.pid}`);
  first.close();
  fileHandle(`${folder}/a`).close();
  assertEquals([...Deno.readDirSync(folder)].map((entry) => entry.name), ["a"]);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("lockFile() keeps out the opener of another process, until that one dies", async () => {
  await withFolder(async (folder) => {
    const args = denoArgs(holder(`${folder}/a`), folder);
    const child = await spawnHolder(
      hostCommand(Deno.execPath(), { args, stdout: "piped", stderr: "inherit" }),
    );
    try {
      const error = assertThrows(() => fileHandle(`${folder}/a`), ErrnoError, "EBUSY");
      assertStringIncludes(error.message, `process ${child.pid}`);
    } finally {
      await kill(child);
    }
    assert([...Deno.readDirSync(folder)].some((entry) => entry.name === "a.lock"));
    fileHandle(`${folder}/a`).close();
  });
});

Deno.test("lockFile() is seen by a process that may only read and write the folder", async () => {
  await withFolder(async (folder) => {
    const first = fileHandle(`${folder}/a`);
    const args = denoArgs(opener(`${folder}/a`), folder);
    const { stdout } = await hostCommand(Deno.execPath(), { args }).output();
    assertStringIncludes(new TextDecoder().decode(stdout), `EBUSY: cannot open "${folder}/a"`);
    first.close();
  });
});

Deno.test("lockFile() takes over the line that a dead process of Node's has left", () => {
  const folder = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${folder}/a.lock`, "999999999 123 word pid\n");
  fileHandle(`${folder}/a`).close();
  Deno.writeTextFileSync(`${folder}/a.lock`, `${Deno.pid} 1 word pid\n`);
  fileHandle(`${folder}/a`).close();
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("lockFile() respects the line of a living process of Node's", () => {
  const folder = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${folder}/a.lock`, `${Deno.pid} ? word pid\n`);
  assertThrows(() => fileHandle(`${folder}/a`), ErrnoError, "EBUSY");
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("lockFile() under Node: a living holder, a dead one, a line without an end", async () => {
  const bundle = await bundled();
  await withFolder(async (folder) => {
    const path = `${folder}/a`;
    const open = async (): Promise<string> => {
      const { stdout } = await node(bundle, opener(path)).output();
      return new TextDecoder().decode(stdout).trim();
    };
    const child = await spawnHolder(node(bundle, holder(path)));
    const why = `EBUSY: cannot open "${path}": process ${child.pid} holds it`;
    assertStringIncludes(await open(), why);
    assertThrows(() => fileHandle(path), ErrnoError, why);
    await kill(child);
    assertEquals(await open(), "open");
    Deno.writeTextFileSync(`${path}.lock`, "");
    assertStringIncludes(await open(), `remove "${path}.lock"`);
    fileHandle(path).close();
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["a"]);
  });
});

Deno.test("lockFile() holds on a full disk, where the volume can be made smaller", async () => {
  await withFolder((folder) => {
    const script = `set -e
cairn mkfs v; dd if=/dev/zero of=big bs=64k count=8 status=none; cairn put v big /big; rm big
dd if=/dev/zero of=filler bs=4k status=none 2>/dev/null || true
cairn rm v /big; cairn check v; ls; cat v.lock 2>/dev/null || echo unlocked`;
    const { status, out, err } = onFullDisk(script, { folder, diskBytes: 4_000_000 });
    assertEquals([status, err], [0, ""]);
    assertStringIncludes(out, "filler\nv\nunlocked");
    return Promise.resolve();
  });
});
