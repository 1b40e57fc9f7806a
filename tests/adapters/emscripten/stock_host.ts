/**
 * The FS of a real module: the committed example, linked by emcc 3.1.6 and not run. What it has and
 * the newest model has not, or the other way round, the tests of one row say.
 */
// @ts-types="../../../examples/wasm_c/notes.d.ts"
import createNotes from "../../../examples/wasm_c/notes.js";
import type { EmscriptenFS } from "../../../adapters/emscripten.ts";

/** A stock FS with the calls that the tests use. */
// deno-lint-ignore no-explicit-any
export type StockFS = EmscriptenFS & Record<string, any>;

/** A module that has been set up and has not been asked to run. */
export async function stockFS(): Promise<StockFS> {
  const wasm = new URL("../../../examples/wasm_c/notes.wasm", import.meta.url);
  const module = await createNotes({
    noInitialRun: true,
    noExitRuntime: true,
    wasmBinary: await Deno.readFile(wasm),
  });
  return module.FS as StockFS;
}
