/**
 * `cairn info`: what a volume is like.
 *
 * Layer: cli. The volume is only read.
 *
 * @module
 */
import { statSync } from "node:fs";
import { type Header, ImageDump, type StorageHandle } from "../../opfs/mod.ts";
import { withDevice, withVolume } from "../shared/image.ts";
import { type Call, EXIT_GOOD, type Verb } from "../shared/verb.ts";
import { jsonText, printable, sizeText } from "../shared/words.ts";

/** The verb. */
export const infoVerb: Verb = {
  name: "info",
  usage: "info [--json] IMAGE",
  summary: "Shows what a volume is like: label, blocks, slots, names, state",
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
    const { label, volumeId, limitBytes } = headerOf(image);
    const id = Array.from(volumeId, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const fileBytes = statSync(image).size;
    const facts = { label, id, fileBytes, limitBytes, ...stats, wasClean };
    if (options.json === true) {
      terminal.print(`${jsonText(facts)}\n`);
      return;
    }
    const { blockSize, blocks, freeBlocks, slots, freeSlots, names, nameBytes, term } = stats;
    const rows: [string, string][] = [
      ["label", label === "" ? "none" : printable(label)],
      ["id", id],
      ["file", sizeText(fileBytes)],
      ["at most", limitBytes === 0 ? "no limit" : sizeText(limitBytes)],
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

/** The header that counts: what stands in it and nowhere else. */
function headerOf(image: string): Header {
  const newest = (handle: StorageHandle): Header =>
    new ImageDump(handle).headers.find(({ isNewest }) => isNewest)!.header!;
  return withDevice(image, newest);
}
