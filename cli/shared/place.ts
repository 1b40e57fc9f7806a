/**
 * Where something is that is copied: on the host, or in an image.
 *
 * Layer: cli, bottom. `IMAGE:/path` is a path in an image, anything else one of the host: the first
 * ":/" of a word divides it. So a path in an image always begins with "/", and a name of the host
 * may have colons as long as no "/" follows one.
 *
 * @module
 */
import { existsSync, statSync } from "node:fs";
import process from "node:process";
import { UsageError } from "./verb.ts";

/** One end of a copy. */
export interface Place {
  /** The image's own path on the host; null for a place on the host. */
  image: string | null;
  /** The path there. */
  path: string;
}

/** What a word of the command line means. */
export function placeOf(word: string): Place {
  if (word === "") throw new UsageError("a path is empty");
  const at = word.indexOf(":/");
  return at > 0 ? { image: word.slice(0, at), path: word.slice(at + 1) } : hostPlace(word);
}

/** `notes.cairn:dir` would be a file of the host; a user with a notes.cairn does not mean that. */
function hostPlace(word: string): Place {
  const at = word.indexOf(":");
  if (at > 0 && !existsSync(word) && existsSync(word.slice(0, at))) {
    const image = word.slice(0, at);
    throw new UsageError(
      `"${word}" is no path in an image: write "${image}:/${word.slice(at + 1)}"`,
    );
  }
  return { image: null, path: word };
}

/** The place as a word again. */
export function placeText({ image, path }: Place): string {
  return image === null ? path : `${image}:${path}`;
}

/** The last name of a path; "" for a root, "." and "..", which have none to give away. */
export function lastName(path: string): string {
  const bare = path.replace(/\/+$/, "");
  const name = bare.slice(bare.lastIndexOf("/") + 1);
  return name === "." || name === ".." ? "" : name;
}

/** The path of the directory that holds the last name; "." or "/" where nothing else is said. */
export function parentPath(path: string): string {
  const bare = path.replace(/\/+$/, "");
  const end = bare.lastIndexOf("/");
  if (end < 0 && !path.startsWith("/")) return ".";
  return bare.slice(0, Math.max(end, 0)) || "/";
}

/** A name for what is on its way to another one; a killed process may have left the first. */
export function freeName(isTaken: (name: string) => boolean): string {
  for (let number = 0;; number++) {
    const name = `.cairn-${process.pid}-${number}`;
    if (!isTaken(name)) return name;
  }
}

/** Whether two paths of the host lead to one file. */
export function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) =>
    statSync(path, { throwIfNoEntry: false, bigint: true })
  );
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}
