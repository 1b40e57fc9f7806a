/**
 * `cairn truncate`: how long files of a volume are.
 *
 * Layer: cli.
 *
 * @module
 */
import { type FS, isFile } from "../../mod.ts";
import { filesOf, withVolume } from "../shared/image.ts";
import { Attempts, byteCount, type Call, UsageError, type Verb } from "../shared/verb.ts";

/** The verb. */
export const truncateVerb: Verb = {
  name: "truncate",
  usage: "truncate -s SIZE [-c] IMAGE PATH...",
  summary: "Cuts files in a volume, or extends them with a hole",
  help: `A file that is missing is made. Links are followed.

  -s, --size SIZE  bytes, with k, M or G as units; +SIZE and -SIZE change the
                   size by so much
  -c, --no-create  make nothing

Examples:
  cairn truncate -s 0 notes.cairn /log.txt
  cairn truncate -s +64M notes.cairn /disk.img
`,
  options: {
    size: { type: "string", short: "s" },
    "no-create": { type: "boolean", short: "c" },
  },
  words: [2, Infinity],
  run,
};

const FILE_MODE = 0o644;

function run(call: Call): number {
  const { words, options } = call;
  const attempts = new Attempts(call);
  const [image, ...paths] = words as [string, ...string[]];
  const resize = sizeRule(options.size);
  withVolume(image, (volume) => {
    const files = filesOf(volume, { readOnly: false });
    for (const path of paths) {
      attempts.at(`${image}:${path}`, () => change(files, path, { resize, options }));
    }
  }, { readOnly: false });
  return attempts.status;
}

interface Change {
  resize: (sizeBytes: number) => number;
  options: Call["options"];
}

function change(files: FS, path: string, { resize, options }: Change): void {
  if (files.findObject(path) === null) {
    if (options["no-create"] === true) return;
    files.close(files.open(path, "a", FILE_MODE));
  }
  const { mode, size } = files.stat(path);
  files.truncate(path, isFile(mode) ? resize(size) : 0);
}

/** What becomes of a size. */
function sizeRule(text: string | boolean | undefined): (sizeBytes: number) => number {
  if (typeof text !== "string") throw new UsageError("-s is missing: say which size");
  const match = /^([-+]?)(\d+[kKmMgG]?)$/.exec(text);
  const bytes = match === null ? undefined : byteCount(match[2]!);
  if (bytes === undefined) throw new UsageError(`--size is "${text}" and not a size`);
  if (match![1] === "+") return (size) => size + bytes;
  if (match![1] === "-") return (size) => Math.max(0, size - bytes);
  return () => bytes;
}
