/**
 * `cairn df`: the space of volumes.
 *
 * Layer: cli. The volumes are only read.
 *
 * @module
 */
import type { StatFs } from "../mod.ts";
import { withVolume } from "./image.ts";
import { type Call, EXIT_GOOD, type Verb } from "./verb.ts";
import { printable, sizeText } from "./words.ts";

/** The verb. */
export const dfVerb: Verb = {
  name: "df",
  usage: "df [-i] [--json] IMAGE...",
  summary: "Shows the space of volumes",
  help: `A volume grows with its file: what is available is what it may still take.

  -i, --inodes  count files, directories and links instead of bytes
  --json        print one JSON object for each volume

Examples:
  cairn df notes.cairn
  cairn df -i notes.cairn films.cairn
`,
  options: { json: { type: "boolean" }, inodes: { type: "boolean", short: "i" } },
  words: [1, Infinity],
  run,
};

function run({ words, options, terminal }: Call): number {
  const total = options.inodes === true ? "inodes" : "size";
  if (options.json !== true) terminal.print(row([total, "used", "available", "volume"]));
  for (const image of words) {
    withVolume(image, (volume) => {
      const space = volume.statfs();
      if (options.json === true) {
        terminal.print(`${JSON.stringify({ image, ...space })}\n`);
        return;
      }
      const cells = options.inodes === true ? inodesOf(space) : bytesOf(space);
      terminal.print(row([...cells, printable(image)]));
    });
  }
  return EXIT_GOOD;
}

function inodesOf({ inodes, freeInodes }: StatFs): string[] {
  return [inodes, inodes - freeInodes, freeInodes].map(String);
}

function bytesOf({ blockSize, blocks, freeBlocks }: StatFs): string[] {
  return [blocks, blocks - freeBlocks, freeBlocks].map((count) => sizeText(count * blockSize));
}

function row(cells: readonly string[]): string {
  return `${cells.map((cell, index) => index < 3 ? cell.padStart(11) : `  ${cell}`).join("")}\n`;
}
