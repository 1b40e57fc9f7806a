/**
 * `cairn info`: what a volume is like.
 *
 * Layer: cli. The volume is only read.
 *
 * @module
 */
import { withVolume } from "./image.ts";
import { type Call, EXIT_GOOD, type Verb } from "./verb.ts";
import { sizeText } from "./words.ts";

/** The verb. */
export const infoVerb: Verb = {
  name: "info",
  usage: "info [--json] IMAGE",
  summary: "Shows what a volume is like: blocks, slots, names, state",
  help: `  --json  print it as one JSON object

Examples:
  cairn info notes.cairn
`,
  options: { json: { type: "boolean" } },
  words: [1, 1],
  run,
};

function run({ words, options, terminal }: Call): number {
  const [image] = words as [string];
  withVolume(image, (volume) => {
    const { state: _state, ...stats } = volume.stats();
    const { wasClean } = volume.report;
    const facts = { ...stats, wasClean };
    if (options.json === true) {
      terminal.print(`${JSON.stringify(facts)}\n`);
      return;
    }
    const { blockSize, blocks, freeBlocks, slots, freeSlots, names, nameBytes, term } = stats;
    const rows: [string, string][] = [
      ["block size", sizeText(blockSize)],
      ["blocks", `${blocks}, ${freeBlocks} free (${sizeText(freeBlocks * blockSize)})`],
      ["slots", `${slots}, ${freeSlots} free`],
      ["names", `${names}, ${sizeText(nameBytes)}`],
      ["closed cleanly", wasClean ? "yes" : "no"],
      ["opened for writing", `${term} ${term === 1 ? "time" : "times"}`],
    ];
    for (const [name, value] of rows) terminal.print(`${`${name}:`.padEnd(20)}${value}\n`);
  });
  return EXIT_GOOD;
}
