/**
 * Some two hundred POSIX calls of C programs: what they return natively, over the stock MEMFS and
 * over a volume is the same, but for what deviations.ts says of 3.1.6. Then the tree that they left,
 * in memory and in a file that other processes wrote and read.
 */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { checkVolume, fileHandle, memoryHandle, openVolumeSync } from "../../mod.ts";
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
type Program = (typeof PROBES)[number] | "tree";

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

/** Runs the probes natively, each in its directory, and the tree over all of them. */
async function runAllNative(folder: string): Promise<Map<Program, string[]>> {
  const results = new Map<Program, string[]>();
  const root = join(folder, "native");
  for (const program of [...PROBES, "tree"] as const) {
    const directory = program === "tree" ? root : join(root, program);
    await Deno.mkdir(directory, { recursive: true, mode: 0o755 });
    const executable = await compileNative(`${program}.c`, folder);
    results.set(program, (await runNative(executable, [directory])).lines);
  }
  return results;
}

Deno.test("C programs over MEMFS and over a volume do what they do on Linux", async (t) => {
  await withFolder(async (folder) => {
    const natives = await runAllNative(folder);
    const handle = memoryHandle();
    const volume = openVolumeSync(handle);
    for (const program of PROBES) {
      const glue = await compile(`${program}.c`, folder);
      const native = natives.get(program)!;
      const directory = `/data/${program}`;
      await t.step(`${program}.c over MEMFS`, async () => {
        const { lines } = await runOnMemfs(glue, directory);
        assertLines(lines, expected(program, { native, over: "memfs" }));
      });
      await t.step(`${program}.c over a volume`, async () => {
        const { lines, status } = await runOnVolume(glue, { volume, directory });
        assertLines(lines, expected(program, { native, over: "volume" }));
        assertEquals(status, 0);
        volume.sync();
        assertEquals(checkVolume(handle).violations, []);
      });
    }
    await t.step("and leave the same tree", async () => {
      const glue = await compile("tree.c", folder);
      const { lines } = await runOnVolume(glue, { volume, directory: "/data" });
      const native = natives.get("tree")!;
      assertLines(lines, expected("tree", { native, over: "volume" }));
    });
    volume.close();
    assertEquals(checkVolume(handle).violations, []);
  });
});

Deno.test("C programs in processes of their own find in a file what others left", async () => {
  await withFolder(async (folder) => {
    const image = join(folder, "volume.cairn");
    const natives = await runAllNative(folder);
    for (const program of [...PROBES, "tree"] as const) {
      const glue = await compile(`${program}.c`, folder);
      const directory = program === "tree" ? "/data" : `/data/${program}`;
      const script = join(SOURCES, "run_on_image.ts");
      const args = ["run", "-A", "--no-check", script, glue, image, directory];
      const lines = (await command(Deno.execPath(), args, SOURCES)).trimEnd().split("\n");
      assertLines(lines, expected(program, { native: natives.get(program)!, over: "volume" }));
      const handle = fileHandle(image);
      assertEquals(checkVolume(handle).violations, []);
      handle.close();
    }
  });
});
