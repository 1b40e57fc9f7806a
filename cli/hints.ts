/**
 * What to do about a failure, in half a line.
 *
 * Layer: cli, bottom.
 *
 * @module
 */
import { codeOfHost, isErrnoError } from "../mod.ts";

const HINTS: Readonly<Record<string, string>> = {
  EACCES: "look at the permissions of the file and its folder",
  EEXIST: "choose another name, or use --force",
  EISDIR: "name a file",
  ENOENT: "look at the spelling of the path",
  ENOSPC: "make room there and try again",
  ENOTDIR: "look at the spelling of the path",
  EPERM: "look at the permissions of the file and its folder",
  EROFS: "the disk or the folder is read-only",
};

/** Hints of a verb go before those of all. */
const OF_VERBS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  import: {
    EINVAL: "import takes tars, folders and images of @componentor/fs",
  },
  check: { EIO: "it cannot be opened as it is" },
  mkdir: { EEXIST: "-p lets be what is there" },
  // fusermount3 says itself what is missing.
  mount: { EPERM: "" },
  rm: { EISDIR: "" },
  cp: { EISDIR: "" },
};

const OPENING = "open the volume";

/** What fails with EIO in an import, and not by the image that it reads. */
const OF_OTHERS: ReadonlySet<string> = new Set([
  "read the tar",
  OPENING,
  "keep the volume",
  "cut the end off the volume",
]);

/** The hint for an error of a verb; empty when its message says everything. */
export function hintFor(verb: string | undefined, error: unknown): string {
  const { code, action } = isErrnoError(error) ? error : { code: codeOfHost(error), action: "" };
  const special = OF_VERBS[verb ?? ""]?.[code];
  if (special !== undefined) return special;
  const isVersion1 = verb === "import" && code === "EIO" && !OF_OTHERS.has(action ?? "");
  if (isVersion1) return "`cairn import --repair` saves what can be saved";
  if (code === "EINVAL" && action === OPENING) {
    return "make a volume with `cairn mkfs` or `cairn import`";
  }
  return HINTS[code] ?? "";
}
