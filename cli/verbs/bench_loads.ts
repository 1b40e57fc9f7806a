/**
 * What `cairn bench` does, once on a file of the host and once in a volume: the same calls on both.
 *
 * Layer: cli, under `bench.ts`. A load is a generator, so that Ctrl-C is heard; what it yields is the
 * number of bytes so far.
 *
 * @module
 */
import { closeSync, fdatasyncSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import type { Ino, VolumeOps } from "../../opfs/mod.ts";

/** A file that a load works on. */
export interface Subject {
  /** Writes all bytes at a place. */
  write(bytes: Uint8Array, at: number): void;
  /** Reads until the array is full. */
  read(into: Uint8Array, at: number): void;
  /** Makes everything durable. */
  sync(): void;
  /** Takes it away. */
  close(): void;
}

/** A file of the host. */
export function rawSubject(path: string): Subject {
  const fd = openSync(path, "wx+", 0o600);
  return {
    write: (bytes, at) =>
      whole(bytes, (part, done) => writeSync(fd, part, 0, part.length, at + done)),
    read: (into, at) => whole(into, (part, done) => readSync(fd, part, 0, part.length, at + done)),
    sync: () => fdatasyncSync(fd),
    close(): void {
      closeSync(fd);
      rmSync(path, { force: true });
    },
  };
}

/** A file of a volume, without a name: it goes when its last user ends. */
export function volumeSubject(volume: VolumeOps): Subject {
  const ino: Ino = volume.tmpfile(volume.root, { mode: 0o600, uid: 0, gid: 0 });
  return {
    write: (bytes, at) => whole(bytes, (part, done) => volume.write(ino, part, at + done)),
    read: (into, at) => whole(into, (part, done) => volume.read(ino, part, at + done)),
    sync: () => volume.fsync(ino),
    close: () => volume.release(ino),
  };
}

function whole(bytes: Uint8Array, step: (part: Uint8Array, done: number) => number): void {
  for (let done = 0; done < bytes.length;) {
    const count = step(done === 0 ? bytes : bytes.subarray(done), done);
    if (count <= 0) throw new Error("a file is shorter than it was");
    done += count;
  }
}

/** Something that is measured. */
export interface Load {
  /** What it is called. */
  name: string;
  /** Whether numbers are bytes a second; otherwise calls. */
  isBytes: boolean;
  /** How often each piece is. */
  count(sizeBytes: number): number;
  /** Bytes of each piece. */
  pieceBytes: number;
  /** Does it. */
  run(
    subject: Subject,
    options: { sizeBytes: number; random: () => number },
  ): Generator<number, void, void>;
}

const LARGE = 128 * 1024;
const SMALL = 4096;
const RANDOM_MAX = 4000;
const DURABLE_COUNT = 100;

/** All loads, in order: the first makes the file that the others use. */
export const LOADS: readonly Load[] = [
  load("sequential write, 128 KiB", LARGE, { writes: true }),
  load("sequential read, 128 KiB", LARGE, { writes: false }),
  load("random write, 4 KiB", SMALL, { writes: true, isRandom: true }),
  load("random read, 4 KiB", SMALL, { writes: false, isRandom: true }),
  {
    name: "write 4 KiB, make it durable",
    isBytes: false,
    pieceBytes: SMALL,
    count: () => DURABLE_COUNT,
    *run(subject): Generator<number, void, void> {
      const piece = new Uint8Array(SMALL).fill(1);
      for (let index = 0; index < DURABLE_COUNT; index++) {
        subject.write(piece, index * SMALL);
        subject.sync();
        yield (index + 1) * SMALL;
      }
    },
  },
];

interface Kind {
  writes: boolean;
  isRandom?: boolean;
}

function load(name: string, pieceBytes: number, { writes, isRandom = false }: Kind): Load {
  const countOf = (sizeBytes: number): number => {
    const pieces = Math.max(1, Math.floor(sizeBytes / pieceBytes));
    return isRandom ? Math.min(RANDOM_MAX, pieces) : pieces;
  };
  return {
    name,
    isBytes: true,
    pieceBytes,
    count: countOf,
    *run(subject, { sizeBytes, random }): Generator<number, void, void> {
      const piece = new Uint8Array(pieceBytes).fill(1);
      const pieces = Math.max(1, Math.floor(sizeBytes / pieceBytes));
      for (let index = 0; index < countOf(sizeBytes); index++) {
        const at = (isRandom ? Math.floor(random() * pieces) : index) * pieceBytes;
        if (writes) subject.write(piece, at);
        else subject.read(piece, at);
        yield (index + 1) * pieceBytes;
      }
      if (writes) subject.sync();
    },
  };
}
