/**
 * The rows of `cost.ts`: what is done on a volume, or by FS over one, while a process counts its own processor time.
 *
 * It takes an engine from the caller and imports none, since the engines of two checkouts are compared.
 *
 * @module
 */
import type { FS, StorageHandle, Volume } from "../mod.ts";

/** What a row works with. */
export interface Rig {
  /** A volume on an empty device. */
  fresh(): Volume;
  /** The volume on the device of the last `fresh`, which must be closed. */
  again(): Volume;
  /** An FS whose root is the volume. */
  over(volume: Volume): FS;
  /** From here on it counts. */
  begin(): void;
  /** It counts no more. */
  end(): void;
}

/** One question. */
export interface Row {
  /** What is done. */
  name: string;
  /** How often in memory: for about a fifth of a second. */
  calls: number;
  /** Whether each call waits for a flush: a host file is asked less often. */
  isDurable: boolean;
  /** Does it, `calls` times between `begin` and `end`. */
  run(rig: Rig, calls: number): void;
}

const FILE = { mode: 0o100644, uid: 0, gid: 0 };
const MANY_FILES = 50_000;
const SOME_FILES = 5000;
/** More than one page of slots has: each call changes another page. */
const SPREAD = 67;
const PAGE_BYTES = 4096;
const RANDOM_PAGES = 4096;
const SMALL = new Uint8Array(64).fill(5);
const KIB = new Uint8Array(1024).fill(7);
const PAGE = new Uint8Array(PAGE_BYTES).fill(3);
const PIECE = new Uint8Array(128 * 1024).fill(9);
const MIB = new Uint8Array(2 ** 20).fill(6);

const place = (index: number): number => index * 1619 % RANDOM_PAGES * PAGE_BYTES;

/** Makes what calls need, and says what one of them does. */
type Prepare = (volume: Volume, calls: number, rig: Rig) => (index: number) => void;

/** A row whose calls are alike. */
function each(name: string, calls: number, prepare: Prepare): Row {
  const run = (rig: Rig, count: number): void => {
    const volume = rig.fresh();
    const act = prepare(volume, count, rig);
    volume.sync();
    rig.begin();
    for (let index = 0; index < count; index++) act(index);
    rig.end();
    volume.close();
  };
  return { name, calls, isDurable: false, run };
}

/** With a sync after each call. */
function durable(name: string, calls: number, prepare: Prepare): Row {
  const row = each(`durable ${name}`, calls, (volume, count, rig) => {
    const act = prepare(volume, count, rig);
    return (index) => {
      act(index);
      volume.sync();
    };
  });
  return { ...row, isDurable: true };
}

/** With a sync after the last call. */
function synced(name: string, calls: number, prepare: Prepare): Row {
  return each(name, calls, (volume, count, rig) => {
    const act = prepare(volume, count, rig);
    return (index) => {
      act(index);
      if (index === count - 1) volume.sync();
    };
  });
}

/** Files of a kibibyte, or empty ones. */
function makeFiles(volume: Volume, count: number, bytes?: Uint8Array): number[] {
  const made: number[] = [];
  for (let index = 0; index < count; index++) {
    const ino = volume.create(volume.root, `file ${index}`, FILE);
    if (bytes !== undefined) volume.write(ino, bytes, 0);
    made.push(ino);
  }
  volume.sync();
  return made;
}

/** A file of 16 MiB. */
function makeLarge(volume: Volume): number {
  const ino = volume.create(volume.root, "large", FILE);
  for (let at = 0; at < RANDOM_PAGES * PAGE_BYTES; at += MIB.length) volume.write(ino, MIB, at);
  volume.sync();
  return ino;
}

const empty = (volume: Volume): number => volume.create(volume.root, "a", FILE);

/** Where the next append goes; the answer of `append` differs between checkouts. */
function appending(volume: Volume, bytes: Uint8Array): (index: number) => void {
  const ino = empty(volume);
  return (index) => volume.write(ino, bytes, index * bytes.length);
}

function listAll(volume: Volume): void {
  for (let after = 0;;) {
    const entries = volume.readdir(volume.root, after);
    if (entries.length === 0) return;
    after = entries.at(-1)!.cursor;
  }
}

/** A call of FS, one frame above the volume's. */
function called(name: string, calls: number, prepare: (fs: FS) => (index: number) => void): Row {
  return each(`FS ${name}`, calls, (volume, _count, rig) => {
    const fs = rig.over(volume);
    fs.mkdirTree("/a/b");
    fs.writeFile("/a/b/file", PIECE);
    return prepare(fs);
  });
}

/** Opening alone; closing is not counted. */
const MOUNT: Row = {
  name: "open 50,000 files",
  calls: 1,
  isDurable: false,
  run(rig): void {
    const volume = rig.fresh();
    makeFiles(volume, MANY_FILES);
    volume.close();
    rig.begin();
    const again = rig.again();
    rig.end();
    again.close();
  },
};

/** All of them: those that the issue of sums was about first, then what the other benches ask. */
export const ROWS: readonly Row[] = [
  durable(
    "create",
    15_000,
    (volume) => (index) => void volume.create(volume.root, `f ${index}`, FILE),
  ),
  durable("create 1 KiB", 8000, (volume) => (index) => {
    volume.write(volume.create(volume.root, `f ${index}`, FILE), KIB, 0);
  }),
  durable("write 64 B", 20_000, (volume) => {
    const ino = makeLarge(volume);
    return (index) => volume.write(ino, SMALL, index * 64);
  }),
  durable("overwrite 1 KiB", 15_000, (volume) => {
    const files = makeFiles(volume, 500, KIB);
    return (index) => volume.write(files[index % 500]!, KIB, 0);
  }),
  durable("rename", 20_000, (volume) => {
    makeFiles(volume, 1);
    return (index) =>
      volume.rename(volume.root, `file ${index}`, volume.root, `file ${index + 1}`, 0);
  }),
  durable("unlink", 15_000, (volume, count) => {
    makeFiles(volume, count, KIB);
    return (index) => volume.unlink(volume.root, `file ${index}`);
  }),
  durable("append 4 KiB", 10_000, (volume) => appending(volume, PAGE)),
  durable("random 4 KiB write", 8000, (volume) => {
    const ino = makeLarge(volume);
    return (index) => volume.write(ino, PAGE, place(index));
  }),
  synced("50,000 creates", MANY_FILES, (volume) => (index) => {
    volume.create(volume.root, `file ${index}`, FILE);
  }),
  synced("unlink of 50,000", MANY_FILES, (volume) => {
    makeFiles(volume, MANY_FILES);
    return (index) => volume.unlink(volume.root, `file ${index}`);
  }),
  synced("chmod, each in another page", MANY_FILES, (volume) => {
    const files = makeFiles(volume, MANY_FILES);
    return (index) =>
      volume.setattr(files[index * SPREAD % MANY_FILES]!, { mode: 0o600 + (index & 7) });
  }),
  synced("sequential write 128 KiB", 1600, (volume) => appending(volume, PIECE)),
  synced("append 4 KiB", 20_000, (volume) => appending(volume, PAGE)),
  synced("write 64 B", 300_000, (volume) => {
    const ino = empty(volume);
    return (index) => volume.write(ino, SMALL, index * 64);
  }),
  synced("random 4 KiB write", 40_000, (volume) => {
    const ino = makeLarge(volume);
    return (index) => volume.write(ino, PAGE, place(index));
  }),
  MOUNT,
  synced("create and write 1 KiB", 20_000, (volume) => (index) => {
    volume.write(volume.create(volume.root, `f ${index}`, FILE), KIB, 0);
  }),
  synced("overwrite 1 KiB", 50_000, (volume) => {
    const files = makeFiles(volume, SOME_FILES, KIB);
    return (index) => volume.write(files[index % SOME_FILES]!, KIB, 0);
  }),
  synced("rename", 30_000, (volume) => {
    makeFiles(volume, SOME_FILES);
    return (index) => {
      const name = `file ${index % SOME_FILES}`;
      volume.rename(volume.root, name, volume.root, `${name} moved`, 0);
      volume.rename(volume.root, `${name} moved`, volume.root, name, 0);
    };
  }),
  synced("two files in turns, 4 KiB", 10_000, (volume) => {
    const files = makeFiles(volume, 2);
    return (index) => volume.write(files[index & 1]!, PAGE, (index >> 1) * PAGE_BYTES);
  }),
  each("lookup and stat", 200_000, (volume) => {
    makeFiles(volume, SOME_FILES);
    return (index) => void volume.getattr(volume.lookup(volume.root, `file ${index % SOME_FILES}`));
  }),
  each("readdir of 5,000", 300, (volume) => {
    makeFiles(volume, SOME_FILES);
    return () => listAll(volume);
  }),
  each("sequential read 128 KiB", 1600, (volume) => {
    const ino = makeLarge(volume);
    return (index) => void volume.read(ino, PIECE, index % 128 * PIECE.length);
  }),
  each("random 4 KiB read", 100_000, (volume) => {
    const ino = makeLarge(volume);
    return (index) => void volume.read(ino, PAGE, place(index));
  }),
  each("read 64 B", 400_000, (volume) => {
    const ino = makeLarge(volume);
    return (index) => void volume.read(ino, SMALL, index * 64 % 2 ** 24);
  }),
  called("open and close", 60_000, (fs) => () => fs.close(fs.open("/a/b/file", "r"))),
  called("read 64 B", 300_000, (fs) => {
    const stream = fs.open("/a/b/file", "r");
    return (index) => void fs.read(stream, SMALL, 0, SMALL.length, index * 64 % PIECE.length);
  }),
  called("write 64 B", 200_000, (fs) => {
    const stream = fs.open("/a/b/file", "r+");
    return (index) => void fs.write(stream, SMALL, 0, SMALL.length, index * 64 % PIECE.length);
  }),
  called("stat", 300_000, (fs) => () => void fs.stat("/a/b/file")),
  called("lookupPath", 300_000, (fs) => () => void fs.lookupPath("/a/b/file")),
  called("llseek", 3_000_000, (fs) => {
    const stream = fs.open("/a/b/file", "r");
    return (index) => void fs.llseek(stream, index & 4095, 0);
  }),
];

/** What a device was asked for. */
export interface Counts {
  /** Calls of `write`. */
  writes: number;
  /** Bytes of these. */
  bytes: number;
  /** Calls of `flush`. */
  flushes: number;
  /** Calls of `read`. */
  reads: number;
}

/** A device that counts. */
export class CountingHandle implements StorageHandle, Counts {
  writes = 0;
  bytes = 0;
  flushes = 0;
  reads = 0;
  readonly isSparse: boolean;
  readonly #handle: StorageHandle;

  /** Counts what goes to `handle`. */
  constructor(handle: StorageHandle) {
    this.#handle = handle;
    this.isSparse = handle.isSparse === true;
  }

  read(into: Uint8Array, options: { at: number }): number {
    this.reads++;
    return this.#handle.read(into, options);
  }

  write(from: Uint8Array, options: { at: number }): number {
    this.writes++;
    this.bytes += from.length;
    return this.#handle.write(from, options);
  }

  getSize(): number {
    return this.#handle.getSize();
  }

  truncate(bytes: number): void {
    this.#handle.truncate(bytes);
  }

  flush(): void {
    this.flushes++;
    this.#handle.flush();
  }

  close(): void {
    this.#handle.close();
  }
}
