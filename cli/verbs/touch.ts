/**
 * `cairn touch`: times in a volume, and empty files.
 *
 * Layer: cli.
 *
 * @module
 */
import type { FS } from "../../mod.ts";
import { filesOf, withVolume } from "../shared/image.ts";
import { Attempts, type Call, UsageError, type Verb } from "../shared/verb.ts";

/** The verb. */
export const touchVerb: Verb = {
  name: "touch",
  usage: "touch [-c] [-a] [-m] [-d TIME] IMAGE PATH...",
  summary: "Sets times in a volume, and makes empty files",
  help: `A file that is missing is made, empty. Links are followed.

  -c, --no-create  make nothing
  -a               the time of the last read only
  -m               the time of the last change only
  -d, --date TIME  this time instead of now: 2024-05-17, 2024-05-17T08:30:00Z, or @SECONDS

Examples:
  cairn touch notes.cairn /a.txt
  cairn touch -m -d 2024-05-17T08:30:00Z notes.cairn /album/a.jpg
`,
  options: {
    "no-create": { type: "boolean", short: "c" },
    access: { type: "boolean", short: "a" },
    modification: { type: "boolean", short: "m" },
    date: { type: "string", short: "d" },
  },
  words: [2, Infinity],
  run,
};

const FILE_MODE = 0o644;

function run(call: Call): number {
  const { words, options } = call;
  const attempts = new Attempts(call);
  const [image, ...paths] = words as [string, ...string[]];
  const time = timeOf(options.date);
  const both = options.access === options.modification;
  const times = [
    both || options.access === true ? time : null,
    both || options.modification === true ? time : null,
  ] as const;
  withVolume(image, (volume) => {
    const files = filesOf(volume, { readOnly: false });
    for (const path of paths) {
      attempts.at(`${image}:${path}`, () => {
        if (makes(files, path, options["no-create"] === true)) files.utime(path, ...times);
      });
    }
  }, { readOnly: false });
  return attempts.status;
}

/** Whether there is something to set times of. */
function makes(files: FS, path: string, isLeftAlone: boolean): boolean {
  if (files.findObject(path) !== null) return true;
  if (isLeftAlone) return false;
  files.close(files.open(path, "a", FILE_MODE));
  return true;
}

function timeOf(text: string | boolean | undefined): number {
  if (typeof text !== "string") return Date.now();
  const seconds = /^@(-?\d+(?:\.\d+)?)$/.exec(text)?.[1];
  const time = seconds === undefined ? Date.parse(text) : Number(seconds) * 1000;
  if (!Number.isNaN(time)) return time;
  throw new UsageError(`"${text}" is no time: write 2024-05-17T08:30:00Z or @SECONDS`);
}
