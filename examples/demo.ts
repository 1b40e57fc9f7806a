/**
 * A C program keeps its files in a volume: `deno task demo`, then again. Reading and writing is all
 * that it is allowed to do.
 *
 * `demo.cairn`, in the current directory, is opened or made; wasm_c/notes.c, compiled by emcc, runs on
 * it by plain POSIX calls and says what it found and did.
 *
 * @module
 */
import { openVolume } from "@cairn/fs";
import { mountVolume } from "@cairn/fs/adapters/emscripten";
// @ts-types="./wasm_c/notes.d.ts"
import createNotes from "./wasm_c/notes.js";

const IMAGE = "demo.cairn";

/** Runs the C program with the volume at /data; its lines are shown indented. */
async function runNotes(volume: Awaited<ReturnType<typeof openVolume>>): Promise<number> {
  let status = 1;
  await createNotes({
    preRun: [(module) => mountVolume(module, volume, "/data")],
    wasmBinary: await Deno.readFile(new URL("./wasm_c/notes.wasm", import.meta.url)),
    print: (line) => console.log(`  ${line}`),
    onExit: (code) => status = code,
  });
  return status;
}

async function main(): Promise<number> {
  const isNew = !await Deno.stat(IMAGE).then(() => true, () => false);
  const volume = await openVolume("demo");
  console.log(`${isNew ? "made" : "opened"} ${IMAGE}, mounted it at /data, ran a C program on it:`);
  const status = await runNotes(volume);
  await volume.close();
  if (status !== 0) return status;
  console.log("next: run it again, in a new process, and it finds what this one left");
  console.log(
    "      examples/wasm_c/notes.c is the program; docs/ARCHITECTURE.md, the way of a write",
  );
  return 0;
}

try {
  Deno.exitCode = await main();
} catch (error) {
  console.error(`demo: ${(error as Error).message}`);
  Deno.exitCode = 1;
}
