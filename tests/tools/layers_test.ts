/**
 * Lints one bad file of each kind, and good ones, with tools/layers.ts.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readText } from "../../tools/project.ts";
import plugin, { COMPOSERS, rowOf, TABLE } from "../../tools/layers.ts";

/** The messages of the linter about a text that stands at `path`. */
function lint(path: string, text: string): string[] {
  return Deno.lint.runPlugin(plugin, path, text).map(({ message }) => message);
}

function refused(path: string, text: string, part: string): void {
  Deno.test(`layers refuses ${text} in ${path}`, () => {
    const messages = lint(path, text);
    assertEquals(messages.length, 1, messages.join("; "));
    assertStringIncludes(messages[0] ?? "", part);
  });
}

function accepted(path: string, text: string): void {
  Deno.test(`layers accepts ${text} in ${path}`, () => {
    assertEquals(lint(path, text), []);
  });
}

// Every form an import can take.
refused("fs/x.ts", `import { y } from "../opfs/cache.ts";`, `may not import "opfs/cache.ts"`);
refused("fs/x.ts", `import type { Y } from "../opfs/cache.ts";`, `"opfs/cache.ts"`);
refused("fs/x.ts", `import "../opfs/cache.ts";`, `"opfs/cache.ts"`);
refused("fs/x.ts", `export { y } from "../opfs/cache.ts";`, `"opfs/cache.ts"`);
refused("fs/x.ts", `export type { Y } from "../opfs/cache.ts";`, `"opfs/cache.ts"`);
refused("fs/x.ts", `export * from "../opfs/cache.ts";`, `"opfs/cache.ts"`);
refused("fs/x.ts", `await import("../opfs/cache.ts");`, `"opfs/cache.ts"`);
refused("fs/x.ts", "await import(`../opfs/cache.ts`);", `"opfs/cache.ts"`);
refused("fs/x.ts", `type Y = import("../opfs/cache.ts").Y;`, `"opfs/cache.ts"`);
refused("fs/x.ts", `type Y = typeof import("../opfs/cache.ts");`, `"opfs/cache.ts"`);
refused("fs/x.ts", `import y = require("../opfs/cache.ts");`, `"opfs/cache.ts"`);
refused("fs/x.ts", `await import(name);`, "computed name");

// Every kind of name that is not a path.
refused("fs/x.ts", `import "node:fs";`, `"node:fs"`);
refused("fs/x.ts", `import "npm:esbuild";`, `"npm:esbuild"`);
refused("fs/x.ts", `import "jsr:@std/path";`, `"jsr:@std/path"`);
refused("fs/x.ts", `import "@std/assert";`, `"@std/assert"`);
refused("fs/x.ts", `import "@cairn/fs";`, "take the file itself");
refused("fs/x.ts", `import "@cairn/fs/abi";`, "take the file itself");
refused("fs/x.ts", `import "https://example.org/x.ts";`, "https:");
refused("tools/x.ts", `import "https://example.org/x.ts";`, "https:");
refused("tools/x.ts", `import "@cairn/fs";`, "take the file itself");
refused("examples/x.ts", `import "esbuild";`, `"esbuild"`);

// Every row, by its most likely mistake.
refused("abi/x.ts", `import "../fs/path.ts";`, `"fs/path.ts"`);
refused("opfs/device/x.ts", `import "../volume/state.ts";`, `"opfs/volume/state.ts"`);
refused("opfs/volume_ops.ts", `import "./cache.ts";`, `"opfs/cache.ts"`);
refused("opfs/volume/load/x.ts", `import "../../device/file.ts";`, `"opfs/device/file.ts"`);
refused("opfs/volume/load/x.ts", `import "../../relay/client.ts";`, `"opfs/relay/client.ts"`);
refused("opfs/relay/x.ts", `import "../volume/volume.ts";`, `"opfs/volume/volume.ts"`);
refused("opfs/compose/open.ts", `import "../../fs/path.ts";`, `"fs/path.ts"`);
refused("opfs/compose/worker.ts", `import "../../node_ops/memfs.ts";`, `"node_ops/memfs.ts"`);
refused("opfs/mod.ts", `export * from "../abi/mod.ts";`, `"abi/mod.ts"`);
refused("stream_ops/x.ts", `import "../node_ops/memfs.ts";`, `"node_ops/memfs.ts"`);
refused("node_ops/x.ts", `import "../fs/lookup.ts";`, `"fs/lookup.ts"`);
refused("fs/x.ts", `import "../node_ops/memfs.ts";`, `"node_ops/memfs.ts"`);
refused("fs/create_fs.ts", `import "../node_ops/volume.ts";`, `"node_ops/volume.ts"`);
refused("mod.ts", `export * from "./node_ops/hostfs.ts";`, `"node_ops/hostfs.ts"`);
refused("mod.ts", `export * from "./opfs/volume/volume.ts";`, `"opfs/volume/volume.ts"`);
refused("adapters/x.ts", `import "../abi/errno.ts";`, `"abi/errno.ts"`);
refused("cli/verbs/x.ts", `import "../../fs/path.ts";`, `"fs/path.ts"`);
refused("bench/x.ts", `import "../fs/path.ts";`, `"fs/path.ts"`);
refused("examples/x.ts", `import "../mod.ts";`, `"mod.ts"`);
refused("tools/x.ts", `import "../mod.ts";`, `"mod.ts"`);
refused("fs/x.ts", `import "../tests/support/prng.ts";`, `"tests/support/prng.ts"`);

// Composers, also from the folder that they stand in.
refused("fs/x.ts", `import "./create_fs.ts";`, "is a composer");
refused("opfs/relay/x.ts", `import "../compose/worker.ts";`, "is a composer");
refused("opfs/relay/x.ts", `import "../compose/open.ts";`, "is a composer");
accepted("mod.ts", `export * from "./fs/create_fs.ts";`);
accepted("opfs/mod.ts", `export * from "./compose/open.ts";`);
accepted("opfs/compose/worker.ts", `import "../../fs/create_fs.ts";`);
accepted("tests/fs/x_test.ts", `import "../../fs/create_fs.ts";`);

// Each floor of the engine knows those below it, and no other.
refused("opfs/volume/format/x.ts", `import "../memory/y.ts";`, `"opfs/volume/memory/y.ts"`);
refused("opfs/volume/memory/x.ts", `import "../state.ts";`, `"opfs/volume/state.ts"`);
refused("opfs/volume/state.ts", `import "./journal/y.ts";`, `"opfs/volume/journal/y.ts"`);
refused("opfs/volume/volume.ts", `import "./load/mount.ts";`, `"opfs/volume/load/mount.ts"`);
refused("opfs/volume/load/x.ts", `import "../tools/y.ts";`, `"opfs/volume/tools/y.ts"`);
refused("cli/shared/x.ts", `import "../verbs/y.ts";`, `"cli/verbs/y.ts"`);
refused("cli/trees/x.ts", `import "../exchange/y.ts";`, `"cli/exchange/y.ts"`);
accepted("opfs/volume/state.ts", `import "./roles.ts"; import "./memory/y.ts";`);
accepted("opfs/volume/version1/x.ts", `import "../volume.ts"; import "../tools/y.ts";`);

// A file without a place.
refused("opfs/stray.ts", `let x = 1;`, "no row");
refused("opfs/volume/stray.ts", `let x = 1;`, "no row");
refused("cli/stray.ts", `let x = 1;`, "no row");
refused("stray.ts", `let x = 1;`, "no row");
refused("lib/stray.ts", ``, "no row");

// What the table allows.
accepted("abi/x.ts", `import "./y.ts"; import "./deep/z.ts";`);
accepted("opfs/locks.ts", `import "../abi/errno.ts"; import "./volume_ops.ts";`);
accepted("opfs/volume/load/x.ts", `import "../../device/handle.ts"; import "../../locks.ts";`);
accepted("opfs/compose/open.ts", `import "../volume/volume.ts"; import "../relay/client.ts";`);
accepted("opfs/compose/worker.ts", `import "../volume/volume.ts";`);
accepted("stream_ops/x.ts", `import "../opfs/volume_ops.ts";`);
accepted("node_ops/x.ts", `import "../stream_ops/x.ts";`);
accepted("fs/create_fs.ts", `import "../node_ops/memfs.ts"; import "./fs.ts";`);
accepted("mod.ts", `export * from "./node_ops/memfs.ts"; export * from "./opfs/mod.ts";`);
accepted("adapters/x.ts", `import "../mod.ts"; import "../opfs/mod.ts"; import "./y.ts";`);
accepted("cli/main.ts", `import "node:path"; import "modern-tar"; import "../node_ops/hostfs.ts";`);
accepted("cli/verbs/x.ts", `import "../tar/y.ts"; import "../shared/verb.ts"; import "./z.ts";`);
accepted("bench/x.ts", `import "@std/assert"; import "../adapters/wasi.ts";`);
accepted("examples/x.ts", `import "@cairn/fs"; import "@cairn/fs/opfs"; import "node:fs";`);
accepted("tools/x.ts", `import "esbuild"; import "npm:esbuild@0.28.2"; await import(name);`);
accepted("tests/x.ts", `import "npm:esbuild"; import "../opfs/volume/volume.ts";`);
accepted("fs/x.ts", `export const url = new URL("../opfs/compose/worker.ts", import.meta.url);`);

Deno.test("rowOf() takes the longest match", () => {
  assertEquals(rowOf("opfs/compose/worker.ts")?.by, "opfs/compose/worker.ts");
  assertEquals(rowOf("opfs/relay/client.ts")?.by, "opfs/relay/");
  assertEquals(rowOf("opfs/other.ts"), null);
});

Deno.test("TABLE places every composer on a row of its own", () => {
  for (const composer of COMPOSERS) {
    assert(TABLE.some(({ who }) => who.length === 1 && who[0] === composer), composer);
  }
});

/** The rows of the first table in docs/ARCHITECTURE.md, with the names that stand in backticks. */
function documentedRows(): { who: string[]; may: string[] }[] {
  const [, table] = readText("docs/ARCHITECTURE.md").split("## Who may import what");
  const rows = table!.split("\n## ")[0]!.split("\n").filter((line) => line.startsWith("| `"));
  const names = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
  return rows.map((row) => {
    const [, who, may] = row.split("|");
    return { who: names(who!), may: names(may!).sort() };
  });
}

Deno.test("the table of docs/ARCHITECTURE.md is the rule's", () => {
  const rows = documentedRows();
  assert(rows.length >= 10, String(rows.length));
  for (const { who, may } of rows) {
    for (const name of who) {
      const path = name === "opfs/volume/" ? "opfs/volume/format/x.ts" : name;
      const found = rowOf(path.endsWith("/") ? `${path}x.ts` : path);
      assertEquals([...found?.row.may ?? []].sort(), may, name);
    }
  }
});
