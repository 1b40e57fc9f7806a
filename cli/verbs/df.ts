/**
 * `cairn df`: the space of volumes.
 *
 * Layer: cli. The volumes are only read.
 *
 * @module
 */
import type { StatFs } from "../../mod.ts";
import { withVolume } from "../shared/image.ts";
import { Attempts, type Call, type Verb } from "../shared/verb.ts";
import { jsonText, printable, sizeText } from "../shared/words.ts";

/** The verb. */
export const dfVerb: Verb = {
  name: "df",
  usage: "df [-i] [-h] [--json] IMAGE...",
  summary: "Shows the space of volumes",
  help: `A volume grows with its file: what is available is what it may still take.

  -i, --inodes  count files, directories and links instead of bytes
  -h, --human   numbers with units: bytes have them anyway, counts by powers of 1,024
  --json        print one JSON object for each volume

Examples:
  cairn df notes.cairn
  cairn df -i notes.cairn films.cairn
`,
  options: {
    json: { type: "boolean" },
    inodes: { type: "boolean", short: "i" },
    human: { type: "boolean", short: "h" },
  },
  words: [1, Infinity],
  run,
};

function run(call: Call): number {
  const { words, options, terminal } = call;
  const attempts = new Attempts(call);
  const total = options.inodes === true ? "inodes" : "size";
  if (options.json !== true) terminal.print(row([total, "used", "available", "volume"]));
  for (const image of words) {
    attempts.at(image, () =>
      withVolume(image, (volume) => {
        const space = volume.statfs();
        if (options.json === true) {
          terminal.print(`${jsonText({ image, ...space })}\n`);
          return;
        }
        const cells = options.inodes === true
          ? inodesOf(space, options.human === true)
          : bytesOf(space);
        terminal.print(row([...cells, printable(image)]));
      }));
  }
  return attempts.status;
}

function inodesOf({ inodes, freeInodes }: StatFs, isHuman: boolean): string[] {
  const counts = [inodes, inodes - freeInodes, freeInodes];
  return counts.map((count) => isHuman ? countText(count) : String(count));
}

/** `1.5M`: a count as `df -ih` has it. */
function countText(count: number): string {
  const [number, unit] = sizeText(count).split(" ") as [string, string];
  return number + unit.replace(/i?B$/, "");
}

function bytesOf({ blockSize, blocks, freeBlocks }: StatFs): string[] {
  return [blocks, blocks - freeBlocks, freeBlocks].map((count) => sizeText(count * blockSize));
}

function row(cells: readonly string[]): string {
  return `${cells.map((cell, index) => index < 3 ? cell.padStart(11) : `  ${cell}`).join("")}\n`;
}
