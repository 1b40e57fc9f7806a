/**
 * Some two hundred POSIX calls of C programs: what they return natively, over the stock MEMFS and
 * over a volume is the same, but for what deviations.ts says of 3.1.6. The last program shows the
 * tree that the others left: in memory, through a relay, in a file that each opened anew.
 */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { checkVolume, fileHandle, memoryHandle, openVolume, openVolumeSync } from "../../mod.ts";
import { DEVIATIONS } from "./deviations.ts";
import {
  byName,
  command,
  compile,
  compileNative,
  runNative,
  runOnMemfs,
  runOnVolume,
  SOURCES,
  withFolder,
} from "./programs.ts";

const PROBES = ["bytes", "names", "maps"] as const;
const PROGRAMS = [...PROBES, "tree"] as const;
type Program = (typeof PROGRAMS)[number];

/** The lines of Linux, with what is known to differ put in. */
function expected(
  program: Program,
  { native, over }: { native: string[]; over: "memfs" | "volume" },
): Map<string, string> {
  const lines = byName(native);
  for (const deviation of DEVIATIONS) {
    const says = deviation[over];
    if (deviation.in !== program || says === undefined) continue;
    const before = lines.get(deviation.line);
    assertEquals(before !== (says ?? undefined), true, `"${deviation.line}" does not differ`);
    if (says === null) lines.delete(deviation.line);
    else lines.set(deviation.line, says);
  }
  return lines;
}

/** The same lines, in whatever order. */
function assertLines(lines: string[], wanted: Map<string, string>): void {
  const sorted = (map: Map<string, string>) => [...map].sort(([a], [b]) => a < b ? -1 : 1);
  assertEquals(sorted(byName(lines)), sorted(wanted));
}

/** What every way of running is compared with, and what it runs. */
interface Built {
  /** The lines on this machine. */
  native: Map<Program, string[]>;
  /** The glue that emcc made. */
  glue: Map<Program, string>;
}

/** Compiles everything both ways, and runs the native programs, each in its directory. */
async function build(folder: string): Promise<Built> {
  const built: Built = { native: new Map(), glue: new Map() };
  const root = join(folder, "native");
  for (const program of PROGRAMS) {
    const directory = program === "tree" ? root : join(root, program);
    await Deno.mkdir(directory, { recursive: true, mode: 0o755 });
    const executable = await compileNative(`${program}.c`, folder);
    built.native.set(program, (await runNative(executable, [directory])).lines);
    built.glue.set(program, await compile(`${program}.c`, folder));
  }
  return built;
}

/** Runs the probes and then the tree, each by `run`, and compares. */
async function compare(
  t: Deno.TestContext,
  { native, glue }: Built,
  run: (glue: string, directory: string) => Promise<string[]>,
): Promise<void> {
  for (const program of PROGRAMS) {
    const directory = program === "tree" ? "/data" : `/data/${program}`;
    await t.step(`${program}.c`, async () => {
      const lines = await run(glue.get(program)!, directory);
      assertLines(lines, expected(program, { native: native.get(program)!, over: "volume" }));
    });
  }
}

function assertWhole(image: string): void {
  const handle = fileHandle(image);
  try {
    assertEquals(checkVolume(handle).violations, []);
  } finally {
    handle.close();
  }
}

async function overMemfs(t: Deno.TestContext, { native, glue }: Built): Promise<void> {
  for (const program of PROBES) {
    await t.step(`${program}.c`, async () => {
      const { lines, status } = await runOnMemfs(glue.get(program)!, `/data/${program}`);
      assertLines(lines, expected(program, { native: native.get(program)!, over: "memfs" }));
      assertEquals(status, 0);
    });
  }
}

async function inMemory(t: Deno.TestContext, built: Built): Promise<void> {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  await compare(t, built, async (glue, directory) => {
    const { lines, status } = await runOnVolume(glue, { volume, directory });
    assertEquals(status, 0);
    volume.sync();
    assertEquals(checkVolume(handle).violations, []);
    return lines;
  });
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
}

async function throughRelay(t: Deno.TestContext, built: Built, image: string): Promise<void> {
  const volume = await openVolume({ name: image, access: "relay" });
  assertEquals(volume.transport, "relay");
  await compare(t, built, async (glue, directory) => {
    const { lines, status } = await runOnVolume(glue, { volume, directory });
    assertEquals(status, 0);
    return lines;
  });
  await volume.close();
  assertWhole(image);
}

async function inProcesses(t: Deno.TestContext, built: Built, image: string): Promise<void> {
  const script = join(SOURCES, "run_on_image.ts");
  await compare(t, built, async (glue, directory) => {
    const args = ["run", "-A", "--no-check", "--no-lock", script, glue, image, directory];
    const text = await command(Deno.execPath(), args, SOURCES);
    assertWhole(image);
    return text.trimEnd().split("\n");
  });
}

Deno.test("C programs do over a volume what they do on Linux", async (t) => {
  await withFolder(async (folder) => {
    const built = await build(folder);
    await t.step("over the module's MEMFS, to compare", (t) => overMemfs(t, built));
    await t.step("on a volume in memory", (t) => inMemory(t, built));
    await t.step("through a relay", (t) => throughRelay(t, built, join(folder, "relay.cairn")));
    await t.step("on a file, each in a process of its own", async (t) => {
      await inProcesses(t, built, join(folder, "file.cairn"));
    });
  });
});
