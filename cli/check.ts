/**
 * `cairn check`: whether a volume is what it should be.
 *
 * Layer: cli. The volume is only read. Ends with 0 when it is clean, 1 when something was found, 2
 * when it cannot be looked into.
 *
 * @module
 */
import { checkVolume, fileHandle, type Report } from "../opfs/mod.ts";
import { at, type Call, EXIT_FOUND, EXIT_GOOD, type Verb } from "./verb.ts";
import { count, printable } from "./words.ts";

/** The verb. */
export const checkVerb: Verb = {
  name: "check",
  usage: "check [--json] IMAGE",
  summary: "Looks for damage in a volume, and changes nothing",
  help: `  --json  print the report as one JSON object

Ends with 0 when the volume is clean, 1 when something was found, 2 when it cannot be
looked into.

Examples:
  cairn check notes.cairn
  cairn check --json notes.cairn
`,
  options: { json: { type: "boolean" } },
  words: [1, 1],
  run,
};

function run({ words, options, terminal }: Call): number {
  const [image] = words as [string];
  const report = at(image, () => {
    const handle = fileHandle(image, { create: false, readOnly: true });
    try {
      return checkVolume(handle);
    } finally {
      handle.close();
    }
  });
  terminal.print(options.json === true ? `${JSON.stringify(report)}\n` : textOf(report));
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
