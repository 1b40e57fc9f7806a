/**
 * Whole trees: the directories of a path, and everything below a name. Both go from node to node, so a
 * level costs the same however deep it is, and a tree may be deeper than a path can be long.
 *
 * Layer: fs, under `node_calls.ts` and `makers.ts`. The first walk of a call keeps the name table within
 * its bounds; the later ones are SECOND, for what the first ones found is in use.
 *
 * @module
 */
import { isErrnoError } from "../abi/errno.ts";
import { invariant } from "../abi/invariant.ts";
import { isDir, MAY_READ, S_IFDIR } from "../abi/mode.ts";
import type { FSNode } from "../abi/node.ts";
import { checkPath, refuse } from "./arguments.ts";
import { makeNode, removeDirectory, removeFile } from "./entries.ts";
import { find, FOLLOW, LAST, type Place, SECOND, topOf, walk } from "./lookup.ts";
import { mayAccess } from "./permissions.ts";
import type { State } from "./state.ts";

/** The names in a directory that the caller may read, "." and ".." first. */
export function namesIn(state: State, call: string, node: FSNode): string[] {
  if (!isDir(node.data.mode)) refuse("ENOTDIR", call, node.name);
  const refused = mayAccess(state, node, MAY_READ);
  if (refused !== 0) refuse(refused, call, node.name);
  const list = node.node_ops.readdir ?? refuse("ENOTDIR", call, node.name);
  let entries = list(node, 0);
  // Mostly one batch is all there is: to make room for it at once halves the time. And a plain loop: a
  // generator is five times slower.
  const names = new Array<string>(entries.length + 2);
  names[0] = ".";
  names[1] = "..";
  let count = 2;
  while (entries.length > 0) {
    for (let index = 0; index < entries.length; index++) names[count++] = entries[index]!.name;
    entries = list(node, entries.at(-1)!.cursor);
  }
  return names;
}

/** Makes the directories of a path that are missing; `mode` has a directory's bits alone. */
export function makeTree(state: State, call: string, path: string, mode: number): void {
  checkPath(call, path);
  if (path === "") refuse("ENOENT", call, path);
  let at = find(state, call, path.startsWith("/") ? "/" : ".", FOLLOW);
  for (const name of path.split("/")) {
    if (name === "") continue;
    const { node } = walk(state, call, name, FOLLOW | SECOND, at);
    if (node !== null && !isDir(node.data.mode)) refuse("ENOTDIR", call, path);
    at = node ??
      makeNode(state, call, walk(state, call, name, LAST | SECOND, at), S_IFDIR | mode, 0);
  }
}

/** A directory that is being emptied. */
interface Level {
  /** Where it is to be removed from. */
  readonly place: Place;
  /** The directory, or what is mounted on it. */
  readonly directory: FSNode;
  readonly names: readonly string[];
  next: number;
}

/** Removes what a path leads to and all below it; what is not there is no error. */
export function removeTree(state: State, call: string, path: string): void {
  const first = placeOf(state, call, path);
  const levels: Level[] = [];
  try {
    if (first !== null) descend(state, call, first, levels);
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const name = level.names[level.next++];
      if (name === undefined) {
        ascend(levels);
        removeDirectory(state, call, level.place);
      } else if (name !== "." && name !== "..") {
        descend(state, call, walk(state, call, name, LAST | SECOND, level.directory), levels);
      }
    }
  } finally {
    while (levels.length > 0) ascend(levels);
  }
}

/** Null if there is nothing; whatever else keeps us from looking is no answer. */
function placeOf(state: State, call: string, path: string): Place | null {
  try {
    return walk(state, call, path, LAST);
  } catch (error) {
    if (isErrnoError(error) && (error.code === "ENOENT" || error.code === "ENOTDIR")) return null;
    throw error;
  }
}

/** Removes what is no directory, and begins with one that is. A name that has gone is done. */
function descend(state: State, call: string, place: Place, levels: Level[]): void {
  const { node } = place;
  if (node === null) return;
  if (!isDir(node.data.mode)) return removeFile(state, call, place);
  const directory = topOf(node);
  const names = namesIn(state, call, directory);
  // A listener may call FS during a removal, which must not forget the directory that we stand on.
  directory.pins++;
  levels.push({ place, directory, names, next: 0 });
}

function ascend(levels: Level[]): void {
  const { directory } = levels.pop()!;
  invariant(directory.pins > 0, "F2: a tree is removed from a directory that is not held");
  directory.pins--;
}
