/**
 * `cairn cat`: the bytes of files, and nothing else.
 *
 * Layer: cli. The volume is only read.
 *
 * @module
 */
import { type FS, O_RDONLY } from "../../mod.ts";
import { filesOf, withVolume } from "../shared/image.ts";
import { Attempts, type Call, type Terminal, type Verb } from "../shared/verb.ts";

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

function run(call: Call): number {
  const { words, terminal } = call;
  const attempts = new Attempts(call);
  const [image, ...paths] = words as [string, ...string[]];
  withVolume(image, (volume) => {
    const files = filesOf(volume);
    for (const path of paths) {
      attempts.at(`${image}:${path}`, () => {
        writeOut(files, path, terminal);
      });
    }
  });
  return attempts.status;
}

/** Writes the bytes of a file to the output. */
export function writeOut(files: FS, path: string, terminal: Terminal): void {
  const stream = files.open(path, O_RDONLY);
  try {
    const buffer = new Uint8Array(PIECE_BYTES);
    for (;;) {
      const length = files.read(stream, buffer, 0, buffer.length);
      if (length === 0) break;
      terminal.write(buffer.subarray(0, length));
    }
  } finally {
    files.close(stream);
  }
}
