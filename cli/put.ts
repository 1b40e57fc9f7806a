/**
 * `cairn put`: a host file goes into a volume.
 *
 * Layer: cli. It is written under a name of its own, made durable, and then takes its name: whoever
 * is interrupted has the old file or the new one.
 *
 * @module
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import process from "node:process";
import { ErrnoError, type FS, isDir, O_CREAT, O_EXCL, O_WRONLY } from "../mod.ts";
import type { Progress } from "../opfs/mod.ts";
import { filesOf, withVolumeAtLength } from "./image.ts";
import { isSameFile } from "./place.ts";
import { interruptible, type Interrupts, takeSteps } from "./steps.ts";
import { at, type Call, EXIT_GOOD, PlaceError, type Verb } from "./verb.ts";

/** The verb. */
export const putVerb: Verb = {
  name: "put",
  usage: "put IMAGE FILE [PATH]",
  summary: "Copies a host file into a volume",
  help: `PATH is the new name, or a directory of the volume; without it the file goes to "/".
Its mode and its time of change go with it; what had the name is replaced in one step.
"-" as FILE reads the standard input, and needs a PATH.

Examples:
  cairn put notes.cairn todo.txt
  cairn put notes.cairn photo.jpg /album/2024.jpg
  tar c src | cairn put notes.cairn - /src.tar
`,
  words: [2, 3],
  run: (call) => interruptible((interrupts) => run(call, interrupts)),
};

const PIECE_BYTES = 1024 * 1024;
/** The input's descriptor. */
export const STDIN = 0;
const DEFAULT_MODE = 0o644;

async function run({ words, terminal }: Call, interrupts: Interrupts): Promise<number> {
  const [image, source, path] = words as [string, string, string | undefined];
  if (source !== "-" && isSameFile(source, image)) {
    throw new PlaceError(source, new ErrnoError("EINVAL", "put an image into itself"));
  }
  const fd = at(source, () => openSource(source));
  try {
    await withVolumeAtLength(image, async (volume) => {
      const files = filesOf(volume, { readOnly: false });
      const target = targetOf(files, source, path);
      const steps = copyIn(files, fd, { target, image, source });
      await takeSteps(steps, { terminal, label: "putting", interrupts });
    }, { readOnly: false });
  } finally {
    if (fd !== STDIN) closeSync(fd);
  }
  return EXIT_GOOD;
}

function openSource(source: string): number {
  if (source === "-") return STDIN;
  const fd = openSync(source, "r");
  if (!fstatSync(fd).isDirectory()) return fd;
  closeSync(fd);
  throw new ErrnoError("EISDIR", "put it", { why: "it is a directory" });
}

/** The path in the volume: what was said, or the file's own name in the directory that was said. */
function targetOf(files: FS, source: string, path: string | undefined): string {
  if (path === undefined) {
    if (source === "-") {
      throw new PlaceError("-", new ErrnoError("EINVAL", "name what has no name"));
    }
    return `/${basename(source)}`;
  }
  const absolute = path.startsWith("/") ? path : `/${path}`;
  const found = files.findObject(absolute);
  const isFolder = found !== null && isDir(files.stat(absolute).mode);
  if (!isFolder && !absolute.endsWith("/")) return absolute;
  if (source === "-") throw new PlaceError(path, new ErrnoError("EISDIR", "write it"));
  return `${absolute.replace(/\/+$/, "")}/${basename(source)}`;
}

interface Target {
  target: string;
  image: string;
  source: string;
}

/** Copies what a descriptor of the host reads into a file of a volume. */
export function* copyIn(
  files: FS,
  fd: number,
  { target, image, source }: Target,
): Generator<Progress, void, void> {
  const temporary = `${target.slice(0, target.lastIndexOf("/"))}/.put-${process.pid}`;
  const place = `${image}:${target}`;
  const { mode, mtimeMs, size } = fstatSync(fd);
  const isStdin = fd === STDIN;
  const stream = at(place, () => files.open(temporary, O_WRONLY | O_CREAT | O_EXCL, DEFAULT_MODE));
  let isDone = false;
  try {
    const buffer = new Uint8Array(PIECE_BYTES);
    for (let done = 0;;) {
      const length = at(source, () => readSync(fd, buffer, 0, buffer.length, null));
      if (length === 0) break;
      at(place, () => writeWhole(files, stream, buffer.subarray(0, length)));
      done += length;
      yield { doneBytes: done, totalBytes: size };
    }
    at(place, () => {
      files.fchmod(stream, isStdin ? DEFAULT_MODE : mode & 0o7777);
      if (!isStdin) files.utime(temporary, mtimeMs, mtimeMs);
      files.fsync(stream);
      files.rename(temporary, target);
    });
    isDone = true;
  } finally {
    files.close(stream);
    if (!isDone) removeQuietly(files, temporary);
  }
}

/** What went wrong before says more. */
function removeQuietly(files: FS, path: string): void {
  try {
    files.unlink(path);
  } catch {
    // On a volume that has failed nothing can be removed; it never became durable.
  }
}

function writeWhole(files: FS, stream: ReturnType<FS["open"]>, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    done += files.write(stream, bytes, done, bytes.length - done);
  }
}
