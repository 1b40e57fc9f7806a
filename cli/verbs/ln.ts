/**
 * `cairn ln`: hard and symbolic links in a volume.
 *
 * Layer: cli.
 *
 * @module
 */
import process from "node:process";
import type { FS } from "../../mod.ts";
import { filesOf, withVolume } from "../shared/image.ts";
import { isFolderAt } from "./mv.ts";
import { lastName, parentPath } from "../shared/place.ts";
import { at, type Call, EXIT_GOOD, type Verb } from "../shared/verb.ts";

/** The verb. */
export const lnVerb: Verb = {
  name: "ln",
  usage: "ln [-s] [-f] IMAGE TARGET NAME",
  summary: "Makes links in a volume",
  help: `NAME is the new link, or a directory that gets one with the name of TARGET.

  -s, --symbolic  a symbolic link; TARGET is kept as it is written
  -f, --force     replace a file that has the name, in one step

Examples:
  cairn ln notes.cairn /a.txt /again.txt
  cairn ln -s notes.cairn ../shared/logo.png /site/logo.png
`,
  options: {
    symbolic: { type: "boolean", short: "s" },
    force: { type: "boolean", short: "f" },
  },
  words: [3, 3],
  run,
};

function run({ words, options }: Call): number {
  const [image, target, given] = words as [string, string, string];
  withVolume(image, (volume) => {
    const files = filesOf(volume, { readOnly: false });
    const isFolder = isFolderAt(files, given);
    const name = isFolder ? `${given.replace(/\/+$/, "")}/${lastName(target)}` : given;
    const make = (path: string): void => {
      if (options.symbolic === true) files.symlink(target, path);
      else files.link(target, path);
    };
    at(`${image}:${name}`, () => {
      const isTaken = options.force === true && files.findObject(name, true) !== null;
      if (isTaken) replace(files, name, make);
      else make(name);
    });
  }, { readOnly: false });
  return EXIT_GOOD;
}

function replace(files: FS, name: string, make: (path: string) => void): void {
  const temporary = `${parentPath(name)}/.ln-${process.pid}`;
  make(temporary);
  try {
    files.rename(temporary, name);
  } finally {
    // Two names of one inode do not replace each other.
    if (files.findObject(temporary, true) !== null) files.unlink(temporary);
  }
}
