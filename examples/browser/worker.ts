/**
 * The worker: a volume in OPFS, a C program on it. A worker can hold the file itself, so this
 * needs no SharedArrayBuffer and no special headers. It starts by itself and sends the page, line
 * by line, what the program prints, and in the end how it ended.
 *
 * @module
 */
import { openVolume } from "@cairn/fs";
import { mountVolume } from "@cairn/fs/adapters/emscripten";
// @ts-types="../wasm_c/notes.d.ts"
import createNotes from "../wasm_c/notes.js";

/** The part of a worker's global object that is used here. */
const page = globalThis as unknown as {
  postMessage(told: { line: string } | { status: number }): void;
};

function print(line: string): void {
  page.postMessage({ line });
}

async function run(): Promise<number> {
  const wasm = await fetch(new URL("../../examples/wasm_c/notes.wasm", import.meta.url));
  const volume = await openVolume("example");
  print(`opened /example.cairn in OPFS (${volume.transport}), mounted it at /data`);
  let status = 1;
  await createNotes({
    preRun: [(module) => mountVolume(module, volume, "/data")],
    wasmBinary: new Uint8Array(await wasm.arrayBuffer()),
    print,
    onExit: (code) => status = code,
  });
  await volume.close();
  return status;
}

try {
  page.postMessage({ status: await run() });
} catch (error) {
  print(`failed: ${(error as Error).message}`);
  page.postMessage({ status: 1 });
}
