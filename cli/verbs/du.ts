/**
 * `cairn du`: how much space the trees of a volume take.
 *
 * Layer: cli. The volume is only read. A file with several names counts once, at the first.
 *
 * @module
 */
import { isDir, type VolumeOps } from "../../mod.ts";
import { filesOf, type Found, inoAt, walk, withVolume } from "../shared/image.ts";
import { Attempts, type Call, numberOption, type Verb } from "../shared/verb.ts";
import { printable, sizeText } from "../shared/words.ts";

/** The verb. */
export const duVerb: Verb = {
  name: "du",
  usage: "du [-s] [-a] [-d N] [-h] [--apparent] [--bytes] IMAGE [PATH...]",
  summary: "Shows how much space trees in a volume take",
  help: `One line for each directory, those below first. Without PATH it is "/".

  -s, --summary    only the PATHs themselves
  -a, --all        files, too
  -d, --depth N    down to N directories below
  --apparent       how long files are, instead of the blocks that they own
  --bytes          exact numbers
  -h, --human      numbers with units, also after --bytes; so it is without it

Examples:
  cairn du -s notes.cairn
  cairn du -d 1 notes.cairn /album
`,
  options: {
    summary: { type: "boolean", short: "s" },
    all: { type: "boolean", short: "a" },
    depth: { type: "string", short: "d" },
    apparent: { type: "boolean" },
    bytes: { type: "boolean" },
    human: { type: "boolean", short: "h" },
  },
  words: [1, Infinity],
  run,
};

const BLOCK_BYTES = 512;

function run(call: Call): number {
  const attempts = new Attempts(call);
  const [image, ...given] = call.words as [string, ...string[]];
  const { options, terminal } = call;
  const depth = options.summary === true ? 0 : numberOption(call, "depth") ?? Infinity;
  const isExact = options.bytes === true && options.human !== true;
  const sizeOf = ({ attr }: Found): number =>
    options.apparent === true ? isDir(attr.mode) ? 0 : attr.size : attr.blocks * BLOCK_BYTES;
  withVolume(image, (volume) => {
    const files = filesOf(volume);
    const seen = new Set<number>();
    for (const path of given.length === 0 ? ["/"] : given) {
      attempts.at(`${image}:${path}`, () => {
        const ino = inoAt(files, path, { follow: false });
        for (const { found, bytes } of totals(volume, { path, ino }, { seen, sizeOf })) {
          const isShown = found.depth === 0 || isDir(found.attr.mode) || options.all === true;
          if (found.depth > depth || !isShown) continue;
          const text = isExact ? String(bytes) : sizeText(bytes);
          terminal.print(`${text.padStart(10)}  ${printable(found.path)}\n`);
        }
      });
    }
  });
  return attempts.status;
}

interface Counting {
  /** Inodes that have been counted. */
  seen: Set<number>;
  sizeOf(found: Found): number;
}

/** Each entry with what it and everything below it takes. */
function* totals(
  volume: VolumeOps,
  from: { path: string; ino: number },
  { seen, sizeOf }: Counting,
): Generator<{ found: Found; bytes: number }, void, void> {
  /** What has been counted below the directories that are not done, by their depth. */
  const below: number[] = [];
  for (const found of walk(volume, { from, isContentFirst: true })) {
    const { depth, ino, attr } = found;
    const isCounted = attr.nlink > 1 && !isDir(attr.mode) && seen.has(ino);
    if (attr.nlink > 1) seen.add(ino);
    const bytes = (isCounted ? 0 : sizeOf(found)) + (below[depth + 1] ?? 0);
    below[depth + 1] = 0;
    below[depth] = (below[depth] ?? 0) + bytes;
    yield { found, bytes };
  }
}
