/**
 * `cairn mkdir`: directories in a volume.
 *
 * Layer: cli.
 *
 * @module
 */
import { type FS, isDir } from "../../mod.ts";
import { filesOf, withVolume } from "../shared/image.ts";
import { changedMode } from "../shared/mode_words.ts";
import { Attempts, type Call, type Verb } from "../shared/verb.ts";

/** The verb. */
export const mkdirVerb: Verb = {
  name: "mkdir",
  usage: "mkdir [-p] [-m MODE] IMAGE PATH...",
  summary: "Makes directories in a volume",
  help: `  -p, --parents    make those above it too, and let be what is there
  -m, --mode MODE  permissions, octal or symbolic (default 755)

Examples:
  cairn mkdir notes.cairn /album
  cairn mkdir -p notes.cairn /album/2024/june
  cairn mkdir -m 1777 notes.cairn /tmp
`,
  options: { parents: { type: "boolean", short: "p" }, mode: { type: "string", short: "m" } },
  words: [2, Infinity],
  run,
};

const DEFAULT_MODE = 0o755;
const IS_DIRECTORY = 0o040000;

function run(call: Call): number {
  const { words, options } = call;
  const attempts = new Attempts(call);
  const [image, ...paths] = words as [string, ...string[]];
  const { parents, mode: text } = options;
  const given = typeof text === "string" ? changedMode(IS_DIRECTORY | 0o777, text) : DEFAULT_MODE;
  withVolume(image, (volume) => {
    const files = filesOf(volume, { readOnly: false });
    for (const path of paths) {
      attempts.at(
        `${image}:${path}`,
        () => make(files, path, { parents: parents === true, mode: given }),
      );
    }
  }, { readOnly: false });
  return attempts.status;
}

function make(files: FS, path: string, options: { parents: boolean; mode: number }): void {
  const { parents, mode } = options;
  if (parents) {
    const existing = files.findObject(path);
    if (existing !== null && isDir(existing.data.mode)) return;
    const above = path.replace(/\/+$/, "").replace(/\/*[^/]*$/, "");
    if (above !== "") files.mkdirTree(above, DEFAULT_MODE);
  }
  files.mkdir(path, DEFAULT_MODE);
  if (mode !== DEFAULT_MODE) files.chmod(path, mode);
}
