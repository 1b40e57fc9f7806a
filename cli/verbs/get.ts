/**
 * `cairn get`: a file of a volume comes out as a host file.
 *
 * Layer: cli. The volume is only read; the host file takes its name when it is whole.
 *
 * @module
 */
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  statSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { ErrnoError, type FS, O_RDONLY } from "../../mod.ts";
import type { Ino, Progress, Volume } from "../../opfs/mod.ts";
import { writeOut } from "./cat.ts";
import { filesOf, inoAt, withVolumeAtLength } from "../shared/image.ts";
import { newFile } from "../shared/new_file.ts";
import { isSameFile } from "../shared/place.ts";
import { interruptible, type Interrupts, takeSteps } from "../shared/steps.ts";
import { at, type Call, EXIT_GOOD, PlaceError, type Verb } from "../shared/verb.ts";
import { VolumeTree } from "../trees/volume_tree.ts";

/** The verb. */
export const getVerb: Verb = {
  name: "get",
  usage: "get [--force] IMAGE PATH [FILE]",
  summary: "Copies a file of a volume to the host",
  help: `FILE is the new name, or a directory of the host; without it the file goes to the
current directory. Its mode, its time of change and its holes go with it. "-" as FILE is the output.

  --force  replace FILE if it exists

Examples:
  cairn get notes.cairn /todo.txt
  cairn get notes.cairn /album/2024.jpg photo.jpg
  cairn get notes.cairn /src.tar - | tar x
`,
  options: { force: { type: "boolean" } },
  words: [2, 3],
  run: (call) =>
    interruptible((interrupts) => run(call, interrupts), { clearsUp: call.words[2] !== "-" }),
};

const PIECE_BYTES = 1024 * 1024;

async function run({ words, options, terminal }: Call, interrupts: Interrupts): Promise<number> {
  const [image, path, given] = words as [string, string, string | undefined];
  await withVolumeAtLength(image, async (volume) => {
    const files = filesOf(volume);
    if (given === "-") return at(`${image}:${path}`, () => writeOut(files, path, terminal));
    const name = path.slice(path.replace(/\/+$/, "").lastIndexOf("/") + 1);
    const isFolder = given !== undefined && existsSync(given) && statSync(given).isDirectory();
    const target = given === undefined ? name : isFolder ? join(given, name) : given;
    if (isSameFile(target, image)) refuseImage(target);
    const steps = copyOut(volume, files, { path, target, image, force: options.force === true });
    await takeSteps(steps, { terminal, label: "getting", interrupts });
  });
  return EXIT_GOOD;
}

/** A name too few, and the file would take the place of all. */
function refuseImage(target: string): never {
  throw new PlaceError(
    target,
    new ErrnoError("EBUSY", "replace it", { why: "it is the image itself" }),
  );
}

interface Out {
  path: string;
  target: string;
  image: string;
  force: boolean;
}

function* copyOut(
  volume: Volume,
  files: FS,
  { path, target, image, force }: Out,
): Generator<Progress, void, void> {
  const place = `${image}:${path}`;
  const stream = at(place, () => files.open(path, O_RDONLY));
  const { mode, mtimeMs, size } = at(place, () => files.fstat(stream));
  const buffer = new Uint8Array(PIECE_BYTES);
  // Reading one byte of a directory fails here, before anything is made on the host.
  at(place, () => files.read(stream, buffer, 0, 0, 0));
  const file = at(target, () => newFile(target, { force }));
  let fd = -1;
  try {
    fd = at(target, () => openSync(file.path, "r+"));
    const ino = at(place, () => inoAt(files, path, { follow: true }));
    for (const piece of named(place, dataOf(volume, ino, buffer))) {
      at(target, () => writeWhole(fd, piece));
      yield { doneBytes: piece.at + piece.bytes.length, totalBytes: size };
    }
    at(target, () => {
      ftruncateSync(fd, size);
      // As a date: a number below 0 is taken for now.
      utimesSync(file.path, new Date(mtimeMs), new Date(mtimeMs));
      file.keep({ mode: mode & 0o777 });
    });
  } finally {
    if (fd >= 0) closeSync(fd);
    file.discard();
    files.close(stream);
  }
}

interface Piece {
  bytes: Uint8Array;
  at: number;
}

/** What a file has, without its holes. */
function* dataOf(volume: Volume, ino: Ino, buffer: Uint8Array): Generator<Piece, void, void> {
  const tree = new VolumeTree(volume);
  const contents = tree.open(tree.at(ino));
  try {
    for (let start = contents.dataAt(0); start >= 0;) {
      const stop = contents.holeAt(start);
      for (let done = start; done < stop;) {
        const length = contents.read(
          buffer.subarray(0, Math.min(buffer.length, stop - done)),
          done,
        );
        if (length === 0) return;
        yield { bytes: buffer.subarray(0, length), at: done };
        done += length;
      }
      start = contents.dataAt(stop);
    }
  } finally {
    contents.close();
  }
}

/** What goes wrong in there is about that place. */
function* named<T>(place: string, items: Generator<T, void, void>): Generator<T, void, void> {
  try {
    for (;;) {
      const step = at(place, () => items.next());
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    items.return();
  }
}

function writeWhole(fd: number, { bytes, at }: Piece): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, at + done);
  }
}
