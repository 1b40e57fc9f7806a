/**
 * Every backend of the package: what a file of `node_ops/` exports that can be mounted, so that a new
 * one is asked for where each of them is tried.
 *
 * Layer: tests. Use: `(await everyBackend()).map(({ name }) => name)`.
 *
 * @module
 */
import type { Backend } from "../../abi/node.ts";

const FOLDER = new URL("../../node_ops/", import.meta.url);

function isBackend(value: unknown): value is Backend<never> {
  const { name, mount } = (value ?? {}) as Partial<Backend<never>>;
  return typeof value === "object" && typeof name === "string" && typeof mount === "function";
}

/** All of them, by name. */
export async function everyBackend(): Promise<Backend<never>[]> {
  const found: Backend<never>[] = [];
  for (const { name } of Deno.readDirSync(FOLDER)) {
    if (!name.endsWith(".ts")) continue;
    const exported: object = await import(new URL(name, FOLDER).href);
    found.push(...Object.values(exported).filter(isBackend));
  }
  return found.sort((a, b) => a.name < b.name ? -1 : 1);
}
