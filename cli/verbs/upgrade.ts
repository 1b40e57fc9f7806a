/**
 * `cairn upgrade`: gives a volume that an earlier version made today's format.
 *
 * Layer: cli. The new volume takes the name when it is whole and has been checked.
 *
 * @module
 */
import { isAbsolute } from "node:path";
import { type TransferReport, upgradeVolume } from "../../opfs/mod.ts";
import { Interrupted, interruptible, type Interrupts, progressText } from "../shared/steps.ts";
import { atLength, type Call, EXIT_GOOD, type Terminal, type Verb } from "../shared/verb.ts";
import { count, jsonText, sizeText } from "../shared/words.ts";

/** The verb. */
export const upgradeVerb: Verb = {
  name: "upgrade",
  usage: "upgrade [--json] IMAGE",
  summary: "Gives a volume of an earlier version what new ones have",
  help: `New volumes have sums of everything but the contents of files: a turned bit is put
right, and more is noticed. The volume is written anew beside the old one, checked, and takes
its name; until then the old one stays as it is. There must be room for both.

  --json  print what was done as one JSON object

Examples:
  cairn upgrade notes.cairn
`,
  options: { json: { type: "boolean" } },
  words: [1, 1],
  run: (call) => interruptible((interrupts) => run(call, interrupts)),
};

async function run({ words, options, terminal }: Call, interrupts: Interrupts): Promise<number> {
  const [image] = words as [string];
  const report = await atLength(image, () => upgrade(image, terminal, interrupts));
  if (options.json === true) terminal.print(`${jsonText(report ?? { isNew: true })}\n`);
  else terminal.print(textOf(report));
  return EXIT_GOOD;
}

async function upgrade(
  image: string,
  terminal: Terminal,
  interrupts: Interrupts,
): Promise<TransferReport | null> {
  const stop = new AbortController();
  try {
    // A name without a slash would be that of a volume, not of a file.
    return await upgradeVolume(isAbsolute(image) ? image : `./${image}`, {
      signal: stop.signal,
      onProgress(progress): void {
        terminal.show(`upgrading ${progressText(progress)}`);
        if (interrupts.isRaised) {
          stop.abort(new Interrupted("it was interrupted; nothing has been changed"));
        }
      },
    });
  } finally {
    terminal.show("");
  }
}

function textOf(report: TransferReport | null): string {
  if (report === null) return "it has today's format already\n";
  const { files, directories, bytes } = report;
  return `upgraded: ${count(files, "file")}, ${count(directories, "directory")}, ${
    sizeText(bytes)
  }\n`;
}
