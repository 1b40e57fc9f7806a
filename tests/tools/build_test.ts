/**
 * The bundles of tools/build.ts, made anew: what is inside, and that committed ones are current.
 */
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import * as esbuild from "esbuild";
import {
  bundle,
  BUNDLES,
  findStale,
  presentBundles,
  render,
  workerSource,
} from "../../tools/build.ts";
import { exists, ROOT } from "../../tools/project.ts";
import { hostCommand } from "../../tools/programs.ts";

/** Runs with a source file that is removed afterwards, and ends esbuild's process. */
async function withFile(text: string, run: (path: string) => Promise<void>): Promise<void> {
  const path = Deno.makeTempFileSync({ suffix: ".ts" });
  try {
    Deno.writeTextFileSync(path, text);
    await run(path);
  } finally {
    Deno.removeSync(path);
    await esbuild.stop();
  }
}

/** esbuild keeps its process between builds, which the sanitizers would call a leak. */
const LOOSE = { sanitizeOps: false, sanitizeResources: false };

Deno.test("bundle() finds no node: anywhere below mod.ts", LOOSE, async () => {
  await withFile("", async () => {
    const text = await bundle("mod.ts", "esm");
    assertStringIncludes(text, "export{");
    assertFalse(/["']node:/.test(text));
  });
});

Deno.test("bundle() refuses a builtin, which no browser has", LOOSE, async () => {
  await withFile(`import "node:fs";`, async (path) => {
    await assertRejects(() => bundle(path, "esm"), Error, "node:fs");
  });
});

Deno.test("render() of a text gives a module that holds the program", LOOSE, async () => {
  const program = `const text = "quote ' \\" \\\\ \\u{1F600}";\nglobalThis.found = text;\n`;
  await withFile(program, async (path) => {
    const source = await render({ from: path, to: "x.ts", as: "text" });
    const url = `data:text/typescript,${encodeURIComponent(source)}`;
    const { WORKER_SOURCE } = await import(url);
    new Function(WORKER_SOURCE)();
    assertEquals(Reflect.get(globalThis, "found"), `quote ' " \\ \u{1F600}`);
    Reflect.deleteProperty(globalThis, "found");
  });
});

Deno.test("findStale() names a generated source that is missing or old", LOOSE, async () => {
  await withFile(`globalThis.x = 1;`, async (path) => {
    const row = { from: path, to: "opfs/no_such_source.ts", as: "text" } as const;
    assertEquals(await findStale([row]), [row.to]);
    assertEquals(await findStale([{ ...row, to: "mod.ts" }]), ["mod.ts"]);
    assertEquals(await findStale([{ ...row, as: "module" }]), []);
  });
});

Deno.test("the committed generated sources are current", LOOSE, async () => {
  await withFile("", async () => assertEquals(await findStale(presentBundles()), []));
});

Deno.test("workerSource() passes the lint", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/x.ts`;
    Deno.writeTextFileSync(path, workerSource(`(()=>{postMessage("it's")})();\n`, "x.ts"));
    const command = hostCommand(Deno.execPath(), { args: ["lint", path], cwd: folder });
    const { success, stderr } = await command.output();
    assert(success, new TextDecoder().decode(stderr));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("presentBundles() are those whose entry exists, texts first", () => {
  const present = presentBundles();
  assert(present.some(({ to }) => to === "dist/cairn.js"));
  assertEquals(present, BUNDLES.filter(({ from }) => exists(from)));
  assertEquals(BUNDLES.findIndex(({ as }) => as === "text"), 0);
  assert(ROOT.endsWith("/"));
});

Deno.test(
  "a bundle that does not use FS has none of its calls",
  LOOSE,
  async () => {
    const names = ["mkdirTree", "createLazyFile", "faccessat", "copy_file_range"];
    const has = async (name: string): Promise<boolean[]> => {
      const text = `import { ${name} } from "${ROOT}fs/mod.ts"; globalThis.kept = ${name};`;
      let found: boolean[] = [];
      await withFile(text, async (path) => {
        const bundled = await bundle(path, "esm");
        found = names.map((call) => bundled.includes(call));
      });
      return found;
    };
    assertEquals(await has("PATH"), [false, false, false, false]);
    assertEquals(await has("FS"), [true, true, true, true]);
  },
);
