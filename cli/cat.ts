/**
 * `cairn cat`: the bytes of files, and nothing else.
 *
 * Layer: cli. The volume is only read.
 *
 * @module
 */
import { O_RDONLY } from "../mod.ts";
import { filesOf, withVolume } from "./image.ts";
import { at, type Call, EXIT_GOOD, type Verb } from "./verb.ts";

/** The verb. */
export const catVerb: Verb = {
  name: "cat",
  usage: "cat IMAGE PATH...",
  summary: "Writes the bytes of files in a volume to the output",
  help: `Links are followed.

Examples:
  cairn cat notes.cairn /a.txt
  cairn cat notes.cairn /photo.jpg > photo.jpg
  cairn cat notes.cairn -- -name
`,
  words: [2, Infinity],
  run,
};

const PIECE_BYTES = 1024 * 1024;

function run({ words, terminal }: Call): number {
  const [image, ...paths] = words as [string, ...string[]];
  withVolume(image, (volume) => {
    const files = filesOf(volume);
    const buffer = new Uint8Array(PIECE_BYTES);
    for (const path of paths) {
      at(`${image}:${path}`, () => {
        const stream = files.open(path, O_RDONLY);
        for (;;) {
          const length = files.read(stream, buffer, 0, buffer.length);
          if (length === 0) break;
          terminal.write(buffer.subarray(0, length));
        }
        files.close(stream);
      });
    }
  });
  return EXIT_GOOD;
}
