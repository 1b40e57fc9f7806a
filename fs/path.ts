/**
 * Paths as text: Emscripten's PATH and PATH_FS. Pure strings; nothing here looks at a file system.
 *
 * Layer: fs. The calls do not use `normalize`: what `..` leads to depends on the links on the way, so
 * only the walk in `lookup.ts` may follow it. These are for programs that compute with names.
 *
 * @module
 */

/** Text functions on POSIX paths, with Emscripten's names. */
export interface PathText {
  /** Whether the path starts at the root. */
  isAbs(path: string): boolean;
  /** [root, directory with its slash, name, extension with its dot]. */
  splitPath(path: string): string[];
  /** Parts without empty ones, "." and the ".." that can be resolved. */
  normalizeArray(parts: string[], allowAboveRoot: boolean): string[];
  /** The path without empty parts, "." and "..", as far as the text alone shows. */
  normalize(path: string): string;
  /** Everything before the last name: "." or "/" if nothing is. */
  dirname(path: string): string;
  /** The last name; "/" of the root. */
  basename(path: string): string;
  /** All parts joined by slashes and normalized; an empty first one stands for the root. */
  join(...paths: string[]): string;
  /** The same with two. */
  join2(left: string, right: string): string;
}

/** Text functions that know where they stand. */
export interface PathFromHere {
  /** The absolute path, from the right to the first absolute part or the current directory. */
  resolve(...paths: string[]): string;
  /** The way from one to the other. */
  relative(from: string, to: string): string;
}

function normalizeArray(parts: string[], allowAboveRoot: boolean): string[] {
  const kept: string[] = [];
  for (const part of parts) {
    if (part === "" || part === ".") continue;
    const last = kept.at(-1);
    if (part !== "..") kept.push(part);
    else if (last !== undefined && last !== "..") kept.pop();
    else if (allowAboveRoot) kept.push(part);
  }
  return kept;
}

function normalize(path: string): string {
  const isAbsolute = path.startsWith("/");
  const text = normalizeArray(path.split("/"), !isAbsolute).join("/");
  if (text === "" && isAbsolute) return "/";
  return (isAbsolute ? "/" : "") + (text || ".") + (path.endsWith("/") ? "/" : "");
}

function extension(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 && name !== ".." ? name.slice(dot) : "";
}

function splitPath(path: string): string[] {
  const root = path.startsWith("/") ? "/" : "";
  const bare = path.slice(root.length).replace(/\/+$/, "");
  const cut = bare.lastIndexOf("/") + 1;
  const name = bare.slice(cut);
  return [root, bare.slice(0, cut), name, extension(name)];
}

function dirname(path: string): string {
  const [root, directory] = splitPath(path) as [string, string];
  if (root === "" && directory === "") return ".";
  return root + directory.replace(/\/+$/, "");
}

function basename(path: string): string {
  return /^\/+$/.test(path) ? "/" : splitPath(path)[2] as string;
}

function join(...paths: string[]): string {
  return normalize(paths.join("/"));
}

/**
 * Text functions on POSIX paths.
 *
 * @example
 * ```ts
 * import { PATH } from "@cairn/fs";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(PATH.join("/a", "../b", "c.txt"), "/b/c.txt");
 * assertEquals(PATH.splitPath("/a/c.txt"), ["/", "a/", "c.txt", ".txt"]);
 * ```
 */
export const PATH: PathText = {
  isAbs: (path) => path.startsWith("/"),
  splitPath,
  normalizeArray,
  normalize,
  dirname,
  basename,
  join,
  join2: (left, right) => normalize(`${left}/${right}`),
};

/** PATH_FS for a caller in the folder `cwd`. */
export function pathFrom(cwd: () => string): PathFromHere {
  function resolve(...paths: string[]): string {
    let whole = "";
    for (let index = paths.length - 1; index >= 0 && !whole.startsWith("/"); index--) {
      if (paths[index] !== "") whole = whole === "" ? paths[index]! : `${paths[index]}/${whole}`;
    }
    if (!whole.startsWith("/")) whole = `${cwd()}/${whole}`;
    return `/${normalizeArray(whole.split("/"), false).join("/")}`;
  }
  function relative(from: string, to: string): string {
    const source = resolve(from).split("/").filter(Boolean);
    const target = resolve(to).split("/").filter(Boolean);
    let same = 0;
    while (same < source.length && same < target.length && source[same] === target[same]) same++;
    return [...source.slice(same).map(() => ".."), ...target.slice(same)].join("/");
  }
  return { resolve, relative };
}
