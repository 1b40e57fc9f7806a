/**
 * `cairn get`: a file of a volume comes out as a host file.
 *
 * Layer: cli. The volume is only read; the host file takes its name when it is whole.
 *
 * @module
 */
import { closeSync, existsSync, openSync, statSync, utimesSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ErrnoError, type FS, O_RDONLY } from "../mod.ts";
import type { Progress } from "../opfs/mod.ts";
import { writeOut } from "./cat.ts";
import { filesOf, withVolumeAtLength } from "./image.ts";
import { newFile } from "./new_file.ts";
import { isSameFile } from "./place.ts";
import { interruptible, type Interrupts, takeSteps } from "./steps.ts";
import { at, type Call, EXIT_GOOD, PlaceError, type Verb } from "./verb.ts";

/** The verb. */
export const getVerb: Verb = {
  name: "get",
  usage: "get [--force] IMAGE PATH [FILE]",
  summary: "Copies a file of a volume to the host",
  help: `FILE is the new name, or a directory of the host; without it the file goes to the
current directory. Its mode and its time of change go with it. "-" as FILE is the output.

  --force  replace FILE if it exists

Examples:
  cairn get notes.cairn /todo.txt
  cairn get notes.cairn /album/2024.jpg photo.jpg
  cairn get notes.cairn /src.tar - | tar x
`,
  options: { force: { type: "boolean" } },
  words: [2, 3],
  run: (call) => interruptible((interrupts) => run(call, interrupts)),
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
    const steps = copyOut(files, { path, target, image, force: options.force === true });
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
    for (let done = 0;;) {
      const length = at(place, () => files.read(stream, buffer, 0, buffer.length));
      if (length === 0) break;
      at(target, () => writeWhole(fd, buffer.subarray(0, length)));
      done += length;
      yield { doneBytes: done, totalBytes: size };
    }
    at(target, () => {
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

function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done);
  }
}
