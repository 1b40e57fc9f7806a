/**
 * `cairn tree`: everything in a volume, for people as a tree, for programs as JSON lines.
 *
 * Layer: cli. The volume is only read. Links are not followed; parents come before children.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { isDir, isFile, isLink } from "../../mod.ts";
import type { VolumeOps } from "../../opfs/mod.ts";
import { coloured } from "../shared/colours.ts";
import { type Found, walk, withVolume } from "../shared/image.ts";
import { at, type Call, EXIT_GOOD, type Terminal, type Verb } from "../shared/verb.ts";
import { jsonText, printable, sizeText, typeName } from "../shared/words.ts";

/** The verb. */
export const treeVerb: Verb = {
  name: "tree",
  usage: "tree [-h] [--json] [--hash] IMAGE",
  summary: "Shows everything in a volume",
  help: `  -h, --human
          sizes with units
  --json  one JSON object a line: path, type, mode (octal), size, uid, gid, nlink, ino,
          atimeMs, mtimeMs, ctimeMs, rdev; target of a link, sha256 of a file with --hash
  --hash  read every file and show its SHA-256

Examples:
  cairn tree notes.cairn
  cairn tree --json --hash notes.cairn > listing.jsonl
`,
  options: {
    json: { type: "boolean" },
    hash: { type: "boolean" },
    human: { type: "boolean", short: "h" },
  },
  words: [1, 1],
  run,
};

const PIECE_BYTES = 1024 * 1024;

function run({ words, options, terminal }: Call): number {
  const [image] = words as [string];
  const isHuman = options.human === true;
  const isHashed = options.hash === true;
  withVolume(image, (volume) => {
    const hash = isHashed ? hasher(volume) : null;
    for (const found of walk(volume)) {
      at(`${image}${found.path}`, () => {
        const sha256 = hash !== null && isFile(found.attr.mode) ? hash(found) : undefined;
        const target = isLink(found.attr.mode) ? volume.readlink(found.ino) : undefined;
        const say = options.json === true ? jsonLine : treeLine;
        terminal.print(`${say(found, { sha256, target, terminal, isHuman })}\n`);
      });
    }
  });
  return EXIT_GOOD;
}

interface More {
  sha256?: string | undefined;
  target?: string | undefined;
  terminal: Terminal;
  isHuman: boolean;
}

/** One object of `--json`. */
function jsonLine({ path, attr }: Found, { sha256, target }: More): string {
  return jsonText({
    path,
    type: typeName(attr.mode),
    mode: attr.mode.toString(8),
    size: attr.size,
    uid: attr.uid,
    gid: attr.gid,
    nlink: attr.nlink,
    ino: attr.ino,
    atimeMs: attr.atime,
    mtimeMs: attr.mtime,
    ctimeMs: attr.ctime,
    rdev: attr.rdev,
    target,
    sha256,
  });
}

/** One line for people: the depth as indentation. */
function treeLine({ path, attr }: Found, { sha256, target, terminal, isHuman }: More): string {
  const depth = path === "/" ? 0 : path.split("/").length - 1;
  const last = path === "/" ? "/" : printable(path.slice(path.lastIndexOf("/") + 1));
  const name = coloured(last, attr.mode, terminal);
  const mark = isDir(attr.mode) && path !== "/" ? "/" : "";
  const more = target !== undefined
    ? ` -> ${printable(target)}`
    : isFile(attr.mode)
    ? ` (${isHuman ? sizeText(attr.size) : attr.size})`
    : isDir(attr.mode)
    ? ""
    : ` [${typeName(attr.mode)}]`;
  return "  ".repeat(depth) + name + mark + more + (sha256 === undefined ? "" : ` ${sha256}`);
}

/** SHA-256 of files, through one buffer. */
function hasher(volume: VolumeOps): (found: Found) => string {
  const buffer = new Uint8Array(PIECE_BYTES);
  return ({ ino }) => {
    const hash = createHash("sha256");
    for (let done = 0;;) {
      const length = volume.read(ino, buffer, done);
      if (length === 0) return hash.digest("hex");
      hash.update(buffer.subarray(0, length));
      done += length;
    }
  };
}
