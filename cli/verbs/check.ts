/**
 * `cairn check`: whether a volume is what it should be.
 *
 * Layer: cli. The volume is only read unless a repair is asked for (`repair.ts`). Ends with 0 when
 * it is clean, 1 when something was found, 2 when it cannot be looked into.
 *
 * @module
 */
import type { Report } from "../../opfs/mod.ts";
import { withDevice } from "../shared/image.ts";
import { checkShown, repairImage } from "./repair.ts";
import { interruptible } from "../shared/steps.ts";
import { type Call, EXIT_FOUND, EXIT_GOOD, type Verb } from "../shared/verb.ts";
import { count, jsonText, printable, printReport } from "../shared/words.ts";

/** The verb. */
export const checkVerb: Verb = {
  name: "check",
  usage: "check [--repair] [--json] IMAGE",
  summary: "Looks for damage in a volume, and repairs it if asked to",
  help: `Without --repair nothing is changed.

  --repair  put right what is damaged. The bitmap, link counts and the like are corrected in
            place. For anything else a new volume is made with all that can be saved, what
            no path leads to in /lost+found; it takes the name, and the damaged volume stays
            as IMAGE.damaged. Modes, owners and times are never invented: what was lost is
            said.
  --json    print the report as one JSON object

Ends with 0 when the volume is clean, 1 when something was found, repaired or not, 2 when
it cannot be looked into.

Examples:
  cairn check notes.cairn
  cairn check --repair notes.cairn
`,
  options: { json: { type: "boolean" }, repair: { type: "boolean" } },
  words: [1, 1],
  run: (call) => call.options.repair === true ? repair(call) : run(call),
};

/** Repairs, and says what was found and what came of it. */
async function repair({ words, options, terminal }: Call): Promise<number> {
  const [image] = words as [string];
  const { before, transfer, kept } = await interruptible((interrupts) =>
    repairImage(image, { terminal, interrupts })
  );
  if (options.json === true) {
    terminal.print(`${jsonText({ ...before, repair: { transfer, kept } })}\n`);
    return before.clean ? EXIT_GOOD : EXIT_FOUND;
  }
  terminal.print(textOf(before));
  if (before.clean) return EXIT_GOOD;
  if (transfer === null) {
    terminal.print("corrected in place\n");
    return EXIT_FOUND;
  }
  printReport(terminal, transfer, false);
  terminal.print(`repaired; the damaged volume is "${printable(kept)}"\n`);
  return EXIT_FOUND;
}

function run({ words, options, terminal }: Call): number {
  const [image] = words as [string];
  const report = withDevice(image, (handle) => checkShown(handle, terminal));
  terminal.print(options.json === true ? `${jsonText(report)}\n` : textOf(report));
  return report.clean ? EXIT_GOOD : EXIT_FOUND;
}

function textOf(report: Report): string {
  const lines = report.violations.map(({ rule, message, isDerivable }) =>
    `${rule}: ${printable(message)}${
      isDerivable ? " (opening it for writing corrects that)" : ""
    }\n`
  );
  const { files, directories, symlinks, hardLinks, usedBlocks, totalBlocks } = report;
  const contents = [
    count(files, "file"),
    count(directories, "directory"),
    count(symlinks, "symbolic link"),
    count(hardLinks, "hard link"),
    `${usedBlocks} of ${count(totalBlocks, "block")} used`,
  ].join(", ");
  const verdict = report.clean ? "clean" : count(report.violations.length, "violation");
  const state = report.wasClean ? "" : ", not closed cleanly";
  return `${lines.join("")}${verdict}${state}: ${contents}\n`;
}
