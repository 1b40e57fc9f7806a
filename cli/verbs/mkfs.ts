/**
 * `cairn mkfs`: an empty volume.
 *
 * Layer: cli.
 *
 * @module
 */
import { fileHandle, formatVolume } from "../../opfs/mod.ts";
import { newFile } from "../shared/new_file.ts";
import { at, type Call, EXIT_GOOD, numberOption, type Verb } from "../shared/verb.ts";

/** The verb. */
export const mkfsVerb: Verb = {
  name: "mkfs",
  usage: "mkfs [OPTIONS] IMAGE",
  summary: "Makes an empty volume",
  help: `It grows as it is filled; nothing has to be said about sizes.

  --size N        bytes that the image gets at most, however it is opened; the volume is
                  full then (default: no limit)
  --inodes N      room for N files and directories to begin with (default 992); more
                  comes when it is needed
  --block-size N  bytes of a block, a power of two from 512 to 1M (default 4k)
  --journal N     bytes of the journal, a multiple of 4k, at least 128k (default 512k)
  --label TEXT    what the volume is called, up to 64 bytes
  --force         replace IMAGE if it exists: what is in it is gone

Examples:
  cairn mkfs notes.cairn
  cairn mkfs --block-size 64k --label films films.cairn
  cairn mkfs --size 100M --inodes 50k cache.cairn
`,
  options: {
    size: { type: "string" },
    inodes: { type: "string" },
    "block-size": { type: "string" },
    journal: { type: "string" },
    label: { type: "string" },
    force: { type: "boolean" },
  },
  words: [1, 1],
  run,
};

function run(call: Call): number {
  const [image] = call.words as [string];
  const { options } = call;
  const blockSize = numberOption(call, "block-size");
  const ringBytes = numberOption(call, "journal");
  const limitBytes = numberOption(call, "size");
  const inodes = numberOption(call, "inodes");
  const slots = inodes === undefined ? undefined : slotsFor(inodes);
  const label = typeof options.label === "string" ? options.label : undefined;
  at(image, () => {
    const file = newFile(image, { force: options.force === true });
    try {
      const handle = fileHandle(file.path);
      try {
        formatVolume(handle, { blockSize, ringBytes, label, slots, limitBytes });
      } finally {
        handle.close();
      }
      file.keep();
    } finally {
      file.discard();
    }
  });
  return EXIT_GOOD;
}

/** The first 32 are the root's and the tables'; slots come by 64. */
function slotsFor(inodes: number): number {
  return Math.ceil((inodes + OWN_SLOTS) / SLOTS_STEP) * SLOTS_STEP;
}

const OWN_SLOTS = 32;
const SLOTS_STEP = 64;
