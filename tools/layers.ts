/**
 * The direction of imports, as a Deno lint plugin: the table below is the one in
 * docs/ARCHITECTURE.md. Named in deno.json, so `deno lint` and every editor apply it.
 *
 * It sees `import`, `export … from`, `import()`, import types and `import … = require()`; a type
 * import counts like any other. To add a folder or a file, add a row.
 *
 * @module
 */
import { ROOT } from "./project.ts";

/** One row of the table. A `/` at the end means everything inside. */
export interface Row {
  /** Whom the row is about. The longest match over all rows decides. */
  who: readonly string[];
  /** What they may import, besides their own folder. */
  may: readonly string[];
  /** What they may not, although `may` covers it. */
  not?: readonly string[];
}

/** Stands in `may` for every package named in deno.json, and for `npm:` and `jsr:`. */
const PACKAGES = "named packages";
/** Stands in `may` for everything. */
const ANYTHING = "anything";
/** Our own name; with a subpath it is still ours. */
const PUBLIC_NAMES = "@cairn/fs";

const VOLUME_SHAPE = ["abi/", "opfs/volume_ops.ts", "opfs/locks.ts"];
const PUBLIC_DOORS = ["mod.ts", "opfs/mod.ts"];
const PROGRAM = [...PUBLIC_DOORS, "adapters/", "node_ops/hostfs.ts", "node:", PACKAGES];
const STD = ["@std/assert", "@std/path"];
const DEFAULT_BACKENDS = ["node_ops/memfs.ts", "node_ops/devfs.ts", "node_ops/procfs.ts"];

/** The floors of one part of the house, the lowest first, and what each of them may import. */
export interface House {
  /** What stands on each floor. A file of the part that stands on none is an error. */
  floors: readonly (readonly string[])[];
  /** What every floor may import, besides itself and the floors below. */
  may: readonly string[];
}

/** The parts with rooms of their own. */
export const HOUSES: readonly House[] = [
  {
    may: [...VOLUME_SHAPE, "opfs/device/handle.ts"],
    floors: [
      ["opfs/volume/format/"],
      ["opfs/volume/memory/"],
      [
        "opfs/volume/clock.ts",
        "opfs/volume/roles.ts",
        "opfs/volume/transaction.ts",
        "opfs/volume/state.ts",
      ],
      ["opfs/volume/space/"],
      ["opfs/volume/journal/"],
      ["opfs/volume/files/"],
      ["opfs/volume/upkeep/"],
      ["opfs/volume/volume_stats.ts", "opfs/volume/volume.ts"],
      ["opfs/volume/load/"],
      ["opfs/volume/tools/"],
      ["opfs/volume/version1/"],
    ],
  },
  {
    may: PROGRAM,
    floors: [
      ["cli/shared/"],
      ["cli/tar/"],
      ["cli/trees/"],
      ["cli/map/"],
      ["cli/exchange/"],
      ["cli/shell/"],
      ["cli/verbs/"],
      ["cli/hints.ts", "cli/main.ts"],
    ],
  },
];

function rowsOf({ floors, may }: House): Row[] {
  return floors.map((who, floor) => ({ who, may: [...may, ...floors.slice(0, floor).flat()] }));
}

/** Section 1 of docs/ARCHITECTURE.md. */
export const TABLE: readonly Row[] = [
  { who: ["abi/"], may: [] },
  { who: ["opfs/device/", "opfs/volume_ops.ts", "opfs/locks.ts"], may: ["abi/"] },
  ...HOUSES.flatMap(rowsOf),
  { who: ["opfs/relay/", "opfs/cache/"], may: VOLUME_SHAPE },
  {
    who: ["opfs/cache.ts"],
    may: [
      ...VOLUME_SHAPE,
      "opfs/cache/",
      "opfs/relay/operation.ts",
      "opfs/relay/operations.ts",
      "opfs/relay/rows.ts",
    ],
  },
  { who: ["opfs/compose/"], may: ["abi/", "opfs/"] },
  {
    who: ["opfs/compose/worker.ts"],
    may: ["abi/", "opfs/", "fs/create_fs.ts", "node_ops/volume.ts"],
  },
  { who: ["opfs/mod.ts"], may: ["opfs/"] },
  { who: ["stream_ops/"], may: VOLUME_SHAPE },
  { who: ["node_ops/"], may: ["abi/", "opfs/volume_ops.ts", "stream_ops/"] },
  { who: ["fs/"], may: ["abi/"] },
  { who: ["fs/create_fs.ts"], may: ["abi/", "fs/", ...DEFAULT_BACKENDS] },
  {
    who: ["mod.ts"],
    may: ["abi/", "fs/", "node_ops/", "opfs/mod.ts"],
    not: ["node_ops/hostfs.ts"],
  },
  { who: ["adapters/"], may: PUBLIC_DOORS },
  { who: ["bench/"], may: [...PROGRAM, "tools/needs.ts", "tools/programs.ts"] },
  { who: ["examples/"], may: [PUBLIC_NAMES, "node:", ...STD] },
  { who: ["tools/"], may: ["node:", PACKAGES] },
  { who: ["playwright.config.ts"], may: ["tools/", "node:", PACKAGES] },
  { who: ["tests/"], may: [ANYTHING] },
];

/** They tie layers together; only an entry point, another composer or a test may import one. */
export const COMPOSERS: readonly string[] = ["fs/create_fs.ts", "opfs/compose/"];

/** The doors: files that are allowed to hand out a composer. */
export const ENTRY_POINTS: readonly string[] = ["mod.ts", "opfs/mod.ts", "cli/main.ts"];

/** The row that speaks about a file, and the entry of `who` that matched; null if none does. */
export function rowOf(path: string): { row: Row; by: string } | null {
  let best: { row: Row; by: string } | null = null;
  for (const row of TABLE) {
    for (const by of row.who) {
      if (covers(by, path) && by.length > (best?.by.length ?? 0)) best = { row, by };
    }
  }
  return best;
}

/** Why `importer` may not import `specifier`; null if it may. Both relative to the checkout. */
export function refusal(importer: string, specifier: string): string | null {
  const found = rowOf(importer);
  if (found === null) return `no row of the layer table speaks about "${importer}"`;
  const { row, by } = found;
  if (row.may.includes(ANYTHING)) return null;
  if (!/^\.\.?\//.test(specifier)) return refuseName(row, { importer, specifier });
  const target = resolve(importer, specifier);
  if (isComposer(target) && !mayCompose(importer)) {
    return `"${target}" is a composer, which only entry points and composers import`;
  }
  if (isOwn(row, { by, target })) return null;
  const allowed = row.may.some((entry) => covers(entry, target));
  const denied = row.not?.some((entry) => covers(entry, target)) ?? false;
  return allowed && !denied ? null : `"${importer}" may not import "${target}"`;
}

function covers(entry: string, path: string): boolean {
  return entry.endsWith("/") ? path.startsWith(entry) : path === entry;
}

/** A folder owns what is inside; single files own the other single files of their row. */
function isOwn(row: Row, { by, target }: { by: string; target: string }): boolean {
  if (by.endsWith("/")) return target.startsWith(by);
  return row.who.includes(target);
}

function mayCompose(importer: string): boolean {
  return isComposer(importer) || ENTRY_POINTS.includes(importer);
}

function isComposer(path: string): boolean {
  return COMPOSERS.some((entry) => covers(entry, path));
}

function refuseName(
  row: Row,
  { importer, specifier }: { importer: string; specifier: string },
): string | null {
  const text = `"${importer}" may not import "${specifier}"`;
  if (specifier === PUBLIC_NAMES || specifier.startsWith(`${PUBLIC_NAMES}/`)) {
    return row.may.includes(PUBLIC_NAMES) ? null : `${text}: take the file itself`;
  }
  if (specifier.startsWith("node:")) return row.may.includes("node:") ? null : text;
  if (isPackage(specifier) && row.may.includes(PACKAGES)) return null;
  return row.may.includes(specifier) ? null : text;
}

/** Not a URL and not a path from some root. */
function isPackage(specifier: string): boolean {
  return /^(npm:|jsr:|@?[a-z0-9][^:]*$)/.test(specifier);
}

function resolve(importer: string, specifier: string): string {
  const url = new URL(specifier, `root:///${importer}`);
  return url.pathname.slice(1);
}

/** Where a file stands in the checkout; the tests lint texts under relative names. */
function placeOf(filename: string): string {
  const path = filename.replaceAll("\\", "/");
  const root = ROOT.replaceAll("\\", "/");
  return path.startsWith(root) ? path.slice(root.length) : path;
}

/** The text of a specifier, null when it is computed. */
function literal(node: Deno.lint.Node): string | null {
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  if (node.type === "TSLiteralType") return literal(node.literal);
  if (node.type !== "TemplateLiteral" || node.expressions.length > 0) return null;
  return node.quasis[0]?.cooked ?? null;
}

function create(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const importer = placeOf(context.filename);
  function look(source: Deno.lint.Node | null | undefined): void {
    if (source === null || source === undefined) return;
    const specifier = literal(source);
    const message = specifier === null ? refuseComputed(importer) : refusal(importer, specifier);
    if (message !== null) context.report({ node: source, message });
  }
  return {
    Program(node) {
      if (rowOf(importer) !== null) return;
      const message = `no row of the layer table speaks about "${importer}"`;
      context.report({ node, message, hint: "Add one to tools/layers.ts" });
    },
    ImportDeclaration: (node) => look(node.source),
    ExportAllDeclaration: (node) => look(node.source),
    ExportNamedDeclaration: (node) => look(node.source),
    ImportExpression: (node) => look(node.source),
    TSImportType: (node) => look(node.argument),
    TSExternalModuleReference: (node) => look(node.expression),
  };
}

/** What cannot be read cannot be checked; programs and tools may still choose at run time. */
function refuseComputed(importer: string): string | null {
  const may = rowOf(importer)?.row.may ?? [];
  const free = may.includes(ANYTHING) || may.includes(PACKAGES);
  return free ? null : `"${importer}" may not import a computed name`;
}

const plugin: Deno.lint.Plugin = { name: "layers", rules: { direction: { create } } };

export default plugin;
