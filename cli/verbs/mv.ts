/**
 * `cairn mv`: moves and renames in a volume.
 *
 * Layer: cli. Each move is one step of the volume.
 *
 * @module
 */
import { ErrnoError, type FS, isDir } from "../../mod.ts";
import { filesOf, withVolume } from "../shared/image.ts";
import { lastName } from "../shared/place.ts";
import { at, Attempts, type Call, type Verb } from "../shared/verb.ts";

/** The verb. */
export const mvVerb: Verb = {
  name: "mv",
  usage: "mv [-n] IMAGE SOURCE... TARGET",
  summary: "Moves and renames within a volume",
  help: `TARGET is the new name, or a directory that gets what is moved. A file that has the new
name is replaced in one step.

  -n, --no-clobber  keep what is there already; SOURCE stays then

Examples:
  cairn mv notes.cairn /a.txt /b.txt
  cairn mv notes.cairn /2023 /2024 /album
`,
  options: { "no-clobber": { type: "boolean", short: "n" } },
  words: [3, Infinity],
  run,
};

function run(call: Call): number {
  const { words, options } = call;
  const attempts = new Attempts(call);
  const [image, ...paths] = words as [string, ...string[]];
  const target = paths.pop()!;
  withVolume(image, (volume) => {
    const files = filesOf(volume, { readOnly: false });
    const isFolder = isFolderAt(files, target);
    if (paths.length > 1 && !isFolder) {
      at(`${image}:${target}`, () => {
        throw new ErrnoError("ENOTDIR", "move several there");
      });
    }
    for (const path of paths) {
      attempts.at(`${image}:${path}`, () => {
        const name = isFolder ? `${target.replace(/\/+$/, "")}/${lastName(path)}` : target;
        if (options["no-clobber"] === true && files.findObject(name, true) !== null) return;
        files.rename(path, name);
      });
    }
  }, { readOnly: false });
  return attempts.status;
}

/** Whether a path leads to a directory, over links too. */
export function isFolderAt(files: FS, path: string): boolean {
  const found = files.findObject(path);
  return found !== null && isDir(files.stat(path).mode);
}
