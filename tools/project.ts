/**
 * What every tool must know of the checkout: where it is, which folders hold source, which files
 * are generated. Stands below all other tools; `sourceFiles` feeds the mirror and the stages.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The absolute path of the checkout, with a slash at its end. */
export const ROOT: string = fileURLToPath(new URL("../", import.meta.url));

/** The folders whose files are published. */
export const PUBLISHED: readonly string[] = [
  "abi",
  "fs",
  "node_ops",
  "stream_ops",
  "opfs",
  "adapters",
  "cli",
];

/** Written by a program and exempt from the rules of taste. The only list of its kind. */
export const GENERATED: readonly RegExp[] = [
  /^opfs\/relay\/worker_source\.ts$/,
  /^examples\/wasm_c\/[^/]+\.js$/,
];

/** True for a path, relative to the checkout, that a program writes. */
export function isGenerated(path: string): boolean {
  return GENERATED.some((pattern) => pattern.test(path));
}

/** True if the checkout has this file or folder. */
export function exists(path: string): boolean {
  return existsSync(ROOT + path);
}

/** The TypeScript files under the folders, as sorted paths relative to the checkout. */
export function sourceFiles(folders: readonly string[]): string[] {
  return folders.flatMap((folder) => {
    if (!exists(folder)) return [];
    const names = readdirSync(ROOT + folder, { recursive: true, encoding: "utf8" });
    return names.map((name) => `${folder}/${name.replaceAll("\\", "/")}`);
  }).filter((path) => path.endsWith(".ts")).sort();
}

/** The text of a file of the checkout. */
export function readText(path: string): string {
  return readFileSync(ROOT + path, "utf8");
}

/** The part of deno.json that tools read. */
export interface Manifest {
  /** Name of the package, as importers write it. */
  name: string;
  /** Subpath to file: every public entry point. */
  exports: Record<string, string>;
  /** Bare name to the package it stands for, with its version. */
  imports: Record<string, string>;
}

/** Reads deno.json, so that no tool keeps a second list of entry points. */
export function readManifest(): Manifest {
  return JSON.parse(readText("deno.json"));
}

/** The files of the public names, without their leading `./`. */
export function entryPoints(): string[] {
  return Object.values(readManifest().exports).map((file) => file.replace(/^\.\//, ""));
}
