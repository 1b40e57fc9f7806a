/**
 * `cairn mkfs`: an empty volume.
 *
 * Layer: cli.
 *
 * @module
 */
import { fileHandle, formatVolume } from "../opfs/mod.ts";
import { newFile } from "./new_file.ts";
import { at, type Call, EXIT_GOOD, numberOption, type Verb } from "./verb.ts";

/** The verb. */
export const mkfsVerb: Verb = {
  name: "mkfs",
  usage: "mkfs [--block-size N] [--journal N] [--label TEXT] [--force] IMAGE",
  summary: "Makes an empty volume",
  help: `It grows as it is filled; nothing has to be said about sizes.

  --block-size N  bytes of a block, a power of two from 512 to 1M (default 4k)
  --journal N     bytes of the journal, a multiple of 4k, at least 128k (default 512k)
  --label TEXT    what the volume is called, up to 64 bytes
  --force         replace IMAGE if it exists: what is in it is gone

Examples:
  cairn mkfs notes.cairn
  cairn mkfs --block-size 64k --label films films.cairn
`,
  options: {
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
  const label = typeof options.label === "string" ? options.label : undefined;
  at(image, () => {
    const file = newFile(image, { force: options.force === true });
    try {
      const handle = fileHandle(file.path);
      try {
        formatVolume(handle, { blockSize, ringBytes, label });
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
