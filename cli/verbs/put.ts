/**
 * `cairn put`: a host file goes into a volume.
 *
 * Layer: cli. It has no name until it is whole and durable: a command that is interrupted, or killed, leaves the
 * old file or the new one, and nothing else.
 *
 * @module
 */
import { closeSync, open, read, realpathSync, statSync } from "node:fs";
import { basename } from "node:path";
import { type Attr, codeOfHost, ErrnoError, type FS, isDir, S_ISGID } from "../../mod.ts";
import type { Ino, Progress, Volume } from "../../opfs/mod.ts";
import { HostTree } from "../trees/host_tree.ts";
import { filesOf, inoOf, withVolumeAtLength } from "../shared/image.ts";
import { isSameFile, lastName } from "../shared/place.ts";
import { interruptible, type Interrupts, takeSteps, unlessInterrupted } from "../shared/steps.ts";
import type { Contents } from "../trees/tree_ops.ts";
import {
  at,
  atLength,
  type Call,
  EXIT_GOOD,
  named,
  PlaceError,
  type Verb,
} from "../shared/verb.ts";
import { VolumeTree } from "../trees/volume_tree.ts";

/** The verb. */
export const putVerb: Verb = {
  name: "put",
  usage: "put IMAGE FILE [PATH]",
  summary: "Copies a host file into a volume",
  help: `PATH is the new name, or a directory of the volume; without it the file goes to "/".
Its mode, its time of change and its holes go with it; what had the name is replaced in one step.
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
const STDIN = 0;
const DEFAULT_MODE = 0o644;

async function run({ words, terminal }: Call, interrupts: Interrupts): Promise<number> {
  const [image, source, path] = words as [string, string, string | undefined];
  if (source !== "-" && isSameFile(source, image)) {
    throw new PlaceError(source, new ErrnoError("EINVAL", "put an image into itself"));
  }
  const input = await atLength(source, () => openInput(source, interrupts));
  try {
    await withVolumeAtLength(image, async (volume) => {
      const files = filesOf(volume, { readOnly: false });
      const target = targetOf(files, source, path);
      const steps = copyIn(volume, files, { input, interrupts, target, image, source });
      await takeSteps(steps, { terminal, label: "putting", interrupts });
    }, { readOnly: false });
  } finally {
    input.close();
  }
  return EXIT_GOOD;
}

/** What is read: a file of the host, whose holes are known, or a stream. */
export interface Input {
  /** Its attributes; null for the standard input, which has none of its own. */
  attr: Attr | null;
  /** The bytes of a file; null for a stream. */
  contents: Contents | null;
  /** The stream's descriptor. */
  fd: number;
  /** Lets it go. */
  close(): void;
}

/** The standard input. */
export const INPUT: Input = { attr: null, contents: null, fd: STDIN, close: () => {} };

/** Opens what is to be read. A FIFO waits for a writer; a signal interrupts the wait. */
export async function openInput(source: string, interrupts: Interrupts): Promise<Input> {
  if (source === "-") return INPUT;
  const stat = statSync(source);
  if (stat.isDirectory()) throw new ErrnoError("EISDIR", "put it", { why: "it is a directory" });
  if (stat.isFile()) {
    const tree = new HostTree();
    const entry = tree.at(realpathSync(source));
    if (entry === null) throw new ErrnoError("ENOENT", "put it");
    const contents = tree.open(entry);
    return { attr: entry.attr, contents, fd: -1, close: () => contents.close() };
  }
  const fd = await unlessInterrupted(opened(source), interrupts);
  const attr = { ...stat, atime: stat.atimeMs, mtime: stat.mtimeMs, ctime: stat.ctimeMs };
  return { attr, contents: null, fd, close: () => closeSync(fd) };
}

function opened(path: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  open(path, "r", (error, fd) => error === null ? resolve(fd) : reject(error));
  return promise;
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
  input: Input;
  interrupts: Interrupts;
  target: string;
  image: string;
  source: string;
}

/** Copies what is read into a file of a volume, which gets its name when it is whole. */
export async function* copyIn(
  volume: Volume,
  files: FS,
  { input, interrupts, target, image, source }: Target,
): AsyncGenerator<Progress, void, void> {
  const place = `${image}:${target}`;
  const { parent, name } = at(place, () => directoryOf(files, target));
  const made = at(place, () => new VolumeTree(volume).begin(parent, name));
  const totalBytes = input.attr?.size ?? 0;
  try {
    let end = 0;
    for await (const piece of named(source, piecesOf(input, interrupts))) {
      at(place, () => made.write(piece.bytes, piece.at));
      end = piece.at + piece.bytes.length;
      yield { doneBytes: end, totalBytes };
    }
    at(place, () => {
      made.resize(end);
      volume.fsync(made.keep(attrIn(volume.getattr(parent), input.attr), []).node);
    });
  } finally {
    made.close();
  }
}

function directoryOf(files: FS, path: string): { parent: Ino; name: string } {
  const name = lastName(path);
  if (name === "") throw new ErrnoError("EISDIR", "write it", { why: "name the file" });
  const { node } = files.lookupPath(path, { parent: true });
  return { parent: inoOf(node!), name };
}

/** What a new file looks like: mode and time go along, the owner is that of all new files. */
function attrIn(directory: Attr, attr: Attr | null): Attr {
  const nowMs = Date.now();
  const gid = (directory.mode & S_ISGID) === 0 ? 0 : directory.gid;
  const { mode = DEFAULT_MODE, mtime = nowMs } = attr ?? {};
  return { ...directory, mode, uid: 0, gid, atime: mtime, mtime };
}

interface Piece {
  bytes: Uint8Array;
  at: number;
}

/** What there is to write, without the holes; the last is empty and says where the end is. */
async function* piecesOf(
  { contents, attr, fd }: Input,
  interrupts: Interrupts,
): AsyncGenerator<Piece, void, void> {
  const buffer = new Uint8Array(PIECE_BYTES);
  let done = 0;
  const endOf = (): Piece => ({ bytes: buffer.subarray(0, 0), at: done });
  if (contents === null) {
    for (;;) {
      const length = await unlessInterrupted(readSoon(fd, buffer), interrupts);
      if (length === 0) return yield endOf();
      yield { bytes: buffer.subarray(0, length), at: done };
      done += length;
    }
  }
  for (let start = contents.dataAt(0); start >= 0; start = contents.dataAt(done)) {
    const stop = contents.holeAt(start);
    for (done = start; done < stop;) {
      const room = buffer.subarray(0, Math.min(PIECE_BYTES, stop - done));
      const length = contents.read(room, done);
      if (length === 0) return yield endOf();
      yield { bytes: room.subarray(0, length), at: done };
      done += length;
    }
  }
  done = Math.max(done, attr?.size ?? 0);
  yield endOf();
}

/** How long a stream that does not block is given until it is asked again. */
const RETRY_MS = 20;

/** Reads without blocking the thread: a signal would not be noticed before the end. */
async function readSoon(fd: number, into: Uint8Array): Promise<number> {
  for (;;) {
    try {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      read(fd, into, 0, into.length, null, (error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
      return await promise;
    } catch (error) {
      if (codeOfHost(error) !== "EAGAIN") throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
