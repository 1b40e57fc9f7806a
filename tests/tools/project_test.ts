/**
 * What tools/project.ts says of this very checkout.
 */
import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  entryPoints,
  exists,
  isGenerated,
  readManifest,
  readText,
  sourceFiles,
} from "../../tools/project.ts";

Deno.test("sourceFiles() lists TypeScript files of all depths, sorted", () => {
  const files = sourceFiles(["tools", "no_such_folder"]);
  assert(files.includes("tools/layers.ts"));
  assert(files.includes("tools/std/assert/equal.ts"));
  assertFalse(files.some((path) => path.endsWith(".json")));
  assertEquals(files, [...files].sort());
});

Deno.test("isGenerated() knows the relay's worker text and the glue of C programs only", () => {
  assert(isGenerated("opfs/relay/worker_source.ts"));
  assert(isGenerated("examples/wasm_c/hello.js"));
  assertFalse(isGenerated("opfs/compose/worker.ts"));
  assertFalse(isGenerated("examples/wasm_c/src/hello.js"));
});

Deno.test("entryPoints() are files of the checkout", () => {
  const entries = entryPoints();
  assert(entries.includes("mod.ts"));
  assertEquals(entries.filter((path) => !exists(path)), []);
});

Deno.test("readManifest() reads the name that importers write", () => {
  assertEquals(readManifest().name, "@cairn/fs");
  assert(readText("deno.json").includes(`"@cairn/fs"`));
});

Deno.test("deno.jsr.json names every entry point and every package of deno.json", () => {
  const { imports } = JSON.parse(readText("deno.jsr.json"));
  const manifest = readManifest();
  const own = Object.entries(manifest.exports).map(([subpath, file]) => [
    manifest.name + subpath.slice(1),
    file,
  ]);
  assertEquals(imports, { ...Object.fromEntries(own), ...manifest.imports });
});
