/**
 * The example's program: the committed .wasm does what a freshly built one and a native one do, and
 * each finds what the others left.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { checkVolume, memoryHandle, openVolumeSync, type VolumeOps } from "../../mod.ts";
import {
  command,
  compile,
  compileNative,
  EXAMPLE,
  runNative,
  runOnVolume,
  withFolder,
} from "./programs.ts";

const START = 1_700_000_000;

/** Runs the program a few times; the clock is ours. */
async function runThrice(glue: string, volume: VolumeOps): Promise<string[]> {
  const lines: string[] = [];
  for (let index = 0; index < 3; index++) {
    const more = [String(START + index * 60)];
    const result = await runOnVolume(glue, { volume, directory: "/data", more });
    assertEquals(result.status, 0, result.lines.join("\n"));
    lines.push(...result.lines);
  }
  return lines;
}

Deno.test("notes: committed, rebuilt and native say the same and leave the same", async () => {
  await withFolder(async (folder) => {
    const committed = join(EXAMPLE, "notes.js");
    await command("sh", [join(EXAMPLE, "build.sh"), folder]);
    const rebuilt = join(folder, "notes.js");
    const tree = await compile("tree.c", folder);
    const results: string[][] = [];
    for (const glue of [committed, rebuilt]) {
      const handle = memoryHandle();
      const volume = openVolumeSync(handle);
      const lines = await runThrice(glue, volume);
      const left = await runOnVolume(tree, { volume, directory: "/data" });
      results.push([...lines, ...left.lines]);
      volume.close();
      assertEquals(checkVolume(handle).violations, []);
    }
    assertEquals(results[1], results[0]);
    assertEquals(await runNativeThrice(folder), results[0]);
  });
});

async function runNativeThrice(folder: string): Promise<string[]> {
  const program = await compileNative("../../examples/wasm_c/notes.c", folder);
  const directory = join(folder, "native");
  await Deno.mkdir(directory);
  const lines: string[] = [];
  for (let index = 0; index < 3; index++) {
    lines.push(...(await runNative(program, [directory, String(START + index * 60)])).lines);
  }
  const tree = await compileNative("tree.c", folder);
  return [...lines, ...(await runNative(tree, [directory])).lines];
}

Deno.test("notes: a rebuilt program goes on where the committed one stopped", async () => {
  await withFolder(async (folder) => {
    await command("sh", [join(EXAMPLE, "build.sh"), folder]);
    const handle = memoryHandle();
    const volume = openVolumeSync(handle);
    const options = { volume, directory: "/data" };
    await runOnVolume(join(EXAMPLE, "notes.js"), options);
    const second = await runOnVolume(join(folder, "notes.js"), options);
    assertStringIncludes(second.lines[0] ?? "", "found: 1 earlier run, ");
    const third = await runOnVolume(join(EXAMPLE, "notes.js"), options);
    assertStringIncludes(third.lines[0] ?? "", "found: 2 earlier runs, ");
    volume.close();
    assertEquals(checkVolume(handle).violations, []);
  });
});

Deno.test("notes: ends with status 1 when what it wrote is not what it finds", async () => {
  const volume = openVolumeSync(memoryHandle());
  const glue = join(EXAMPLE, "notes.js");
  await runOnVolume(glue, { volume, directory: "/data" });
  const ino = volume.lookup(volume.root, "runs.bin");
  volume.write(ino, new Uint8Array([9]), 0);
  const { lines, status } = await runOnVolume(glue, { volume, directory: "/data" });
  assertEquals([lines, status], [['failed: "runs.bin" does not hold what was written to it'], 1]);
  volume.close();
});
