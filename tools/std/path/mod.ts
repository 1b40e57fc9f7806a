/**
 * A stand-in for `@std/path`, linked from deno.json so that tools, tests and examples run where JSR
 * is out of reach. Only the calls that mean the same in both packages.
 *
 * @module
 */
import * as path from "node:path";
import * as url from "node:url";

/** The separator of this system. */
export const SEPARATOR: string = path.sep;

/** The last part of a path, without `suffix` if it ends with it. */
export function basename(name: string, suffix = ""): string {
  return path.basename(name, suffix);
}

/** Everything before the last part. */
export function dirname(name: string): string {
  return path.dirname(name);
}

/** The extension with its dot, or nothing. */
export function extname(name: string): string {
  return path.extname(name);
}

/** True if the path starts at the root. */
export function isAbsolute(name: string): boolean {
  return path.isAbsolute(name);
}

/** The parts joined and normalized. */
export function join(first: string, ...rest: string[]): string {
  return path.join(first, ...rest);
}

/** The path without `.`, `..` and doubled separators. */
export function normalize(name: string): string {
  return path.normalize(name);
}

/** The way from one place to the other. */
export function relative(from: string, to: string): string {
  return path.relative(from, to);
}

/** The absolute path that the parts lead to, read from right to left. */
export function resolve(...parts: string[]): string {
  return path.resolve(...parts);
}

/** The path of a `file:` URL. */
export function fromFileUrl(from: string | URL): string {
  return url.fileURLToPath(from);
}

/** The `file:` URL of an absolute path. */
export function toFileUrl(name: string): URL {
  return url.pathToFileURL(name);
}
