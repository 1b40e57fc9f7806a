/**
 * Names in colours, on terminals that want them.
 *
 * Layer: cli, bottom. `wantsColours` looks at NO_COLOR (https://no-color.org) and TERM; a `Terminal`
 * says by `isColoured` whether it has them. The colours are those of ls.
 *
 * @module
 */
import { isDir, isFile, isLink } from "../../mod.ts";
import type { Terminal } from "./verb.ts";

const RESET = "\x1b[0m";
const DIRECTORY = "\x1b[1;34m";
const LINK = "\x1b[36m";
const PROGRAM = "\x1b[32m";
const SPECIAL = "\x1b[33m";
const EXECUTE = 0o111;

/** Whether these variables of the environment leave room for colours. */
export function wantsColours(env: Readonly<Record<string, string | undefined>>): boolean {
  const { NO_COLOR = "", TERM = "" } = env;
  return NO_COLOR === "" && TERM !== "" && TERM !== "dumb";
}

/** A name in the colour of what it leads to; as it is where there are no colours. */
export function coloured(name: string, mode: number, { isColoured = false }: Terminal): string {
  const colour = isColoured ? colourOf(mode) : "";
  return colour === "" ? name : `${colour}${name}${RESET}`;
}

function colourOf(mode: number): string {
  if (isDir(mode)) return DIRECTORY;
  if (isLink(mode)) return LINK;
  if (!isFile(mode)) return SPECIAL;
  return mode & EXECUTE ? PROGRAM : "";
}
