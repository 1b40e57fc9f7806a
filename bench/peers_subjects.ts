/**
 * The stores that are compared in a worker of a browser: ours with the engine in that worker,
 * `@componentor/fs` with its synchronous API, and the two floors of `peers_floors.ts`.
 *
 * Each is wrapped in the same few calls, as thin as they can be, and lives in a worker of its own.
 *
 * @module
 */
import { createFS, type OpenedVolume, openVolume, VOLUMEFS } from "../mod.ts";
import { openOpfsHandle } from "../opfs/mod.ts";
import { Floor, type FloorFile } from "./peers_floors.ts";

/** How a file is opened: to read it, to change it, or anew. */
export type OpenMode = "r" | "r+" | "w+";

/** The calls that the workloads are made of. */
export interface Peer {
  /** Opens a file. */
  open(path: string, mode: OpenMode): unknown;
  /** Closes it. */
  close(stream: unknown): void;
  /** Writes all of `bytes`; at the stream's own position without one. Returns how many it took. */
  write(stream: unknown, bytes: Uint8Array, position?: number): number;
  /** Fills `into` from a position. */
  read(stream: unknown, into: Uint8Array, position: number): number;
  /** Length of a file. */
  stat(path: string): number;
  /** The names in a directory, without "." and "..". */
  readdir(path: string): number;
  /** Makes a directory. */
  mkdir(path: string): void;
  /** Moves a name. */
  rename(from: string, to: string): void;
  /** Removes a name. */
  unlink(path: string): void;
  /** Makes everything durable. */
  sync(): void;
  /** Lets go. */
  end(): Promise<void>;
  /** Whether it has directories, which can be renamed, and can be mounted again. */
  readonly isFileSystem: boolean;
}

async function cairn(name: string): Promise<Peer> {
  const volume: OpenedVolume = await openVolume({ name, access: "direct" });
  const fs = createFS();
  fs.mkdir("/v");
  fs.mount(VOLUMEFS, { volume }, "/v");
  type Stream = ReturnType<typeof fs.open>;
  return {
    isFileSystem: true,
    open: (path, mode) => fs.open(`/v${path}`, mode),
    close: (stream) => fs.close(stream as Stream),
    write: (stream, bytes, position) =>
      fs.write(stream as Stream, bytes, 0, bytes.length, position),
    read: (stream, into, position) => fs.read(stream as Stream, into, 0, into.length, position),
    stat: (path) => fs.stat(`/v${path}`).size,
    readdir: (path) => fs.readdir(`/v${path}`).length - 2,
    mkdir: (path) => void fs.mkdir(`/v${path}`),
    rename: (from, to) => fs.rename(`/v${from}`, `/v${to}`),
    unlink: (path) => fs.unlink(`/v${path}`),
    sync: () => volume.sync(),
    end: () => volume.close(),
  };
}

/** The part of `node:fs` that `@componentor/fs` is measured by. */
interface NodeLike {
  init(): Promise<unknown>;
  dispose(): Promise<void> | void;
  openSync(path: string, flags: string): number;
  closeSync(fd: number): void;
  readSync(fd: number, into: Uint8Array, offset: number, length: number, at: number): number;
  writeSync(fd: number, from: Uint8Array, offset: number, length: number, at?: number): number;
  fsyncSync(fd: number): void;
  statSync(path: string): { size: number };
  readdirSync(path: string): unknown[];
  mkdirSync(path: string): void;
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
}

/** In the mode that keeps everything in its image, as ours does. */
async function componentor(name: string): Promise<Peer> {
  const place = "/componentor/index.js";
  const { VFSFileSystem } = await import(place) as {
    VFSFileSystem: new (options: unknown) => NodeLike;
  };
  const fs = new VFSFileSystem({ root: `/${name}`, mode: "vfs" });
  await fs.init();
  // Whichever descriptor is synced, it flushes the whole image.
  let kept = -1;
  return {
    isFileSystem: true,
    open: (path, mode) => fs.openSync(path, mode),
    close: (fd) => fs.closeSync(fd as number),
    write: (fd, bytes, position) => fs.writeSync(fd as number, bytes, 0, bytes.length, position),
    read: (fd, into, position) => fs.readSync(fd as number, into, 0, into.length, position),
    stat: (path) => fs.statSync(path).size,
    readdir: (path) => fs.readdirSync(path).length,
    mkdir: (path) => fs.mkdirSync(path),
    rename: (from, to) => fs.renameSync(from, to),
    unlink: (path) => fs.unlinkSync(path),
    sync() {
      if (kept < 0) kept = fs.openSync("/kept open", "w+");
      fs.fsyncSync(kept);
    },
    async end() {
      if (kept >= 0) fs.closeSync(kept);
      await fs.dispose();
    },
  };
}

/** An open file of a floor. */
interface FloorStream {
  file: FloorFile;
  position: number;
}

async function floor(name: string, isCached: boolean): Promise<Peer> {
  const handle = await openOpfsHandle(`/${name}`);
  handle.truncate(0);
  const store = new Floor(handle, isCached);
  return {
    isFileSystem: false,
    open: (path): FloorStream => ({ file: store.open(path), position: 0 }),
    close() {},
    write(stream, bytes, position) {
      const open = stream as FloorStream;
      const at = position ?? open.position;
      if (position === undefined) open.position += bytes.length;
      return store.write(open.file, bytes, at);
    },
    read: (stream, into, position) => store.read((stream as FloorStream).file, into, position),
    stat: (path) => store.get(path)?.size ?? -1,
    readdir: (path) => store.list(path).length,
    mkdir() {},
    rename: (from, to) => store.rename(from, to),
    unlink: (path) => store.unlink(path),
    sync: () => store.sync(),
    end: () => Promise.resolve(store.close()),
  };
}

/** How each subject is opened, by its name; the argument names the store. */
export const PEERS: Readonly<Record<string, (name: string) => Promise<Peer>>> = {
  cairn,
  componentor,
  wt: (name) => floor(name, false),
  bc: (name) => floor(name, true),
};
