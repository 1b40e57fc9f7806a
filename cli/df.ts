/**
 * `cairn df`: the space of volumes.
 *
 * Layer: cli. The volumes are only read.
 *
 * @module
 */
import { withVolume } from "./image.ts";
import { type Call, EXIT_GOOD, type Verb } from "./verb.ts";
import { printable, sizeText } from "./words.ts";

/** The verb. */
export const dfVerb: Verb = {
  name: "df",
  usage: "df [--json] IMAGE...",
  summary: "Shows the space of volumes",
  help: `A volume grows with its file: what is available is what it may still take.

  --json  print one JSON object for each volume

Examples:
  cairn df notes.cairn
`,
  options: { json: { type: "boolean" } },
  words: [1, Infinity],
  run,
};

function run({ words, options, terminal }: Call): number {
  if (options.json !== true) terminal.print(row(["size", "used", "available", "volume"]));
  for (const image of words) {
    withVolume(image, (volume) => {
      const space = volume.statfs();
      if (options.json === true) {
        terminal.print(`${JSON.stringify({ image, ...space })}\n`);
        return;
      }
      const { blockSize, blocks, freeBlocks } = space;
      const numbers = [blocks, blocks - freeBlocks, freeBlocks];
      const cells = numbers.map((number) => sizeText(number * blockSize));
      terminal.print(row([...cells, printable(image)]));
    });
  }
  return EXIT_GOOD;
}

function row(cells: readonly string[]): string {
  return `${cells.map((cell, index) => index < 3 ? cell.padStart(11) : `  ${cell}`).join("")}\n`;
}
