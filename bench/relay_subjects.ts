/**
 * Who is measured by the relay's bench: Cairn through its relay, and the peer of the same kind, both
 * with one small interface of synchronous calls.
 *
 * Layer: bench; part of the bundle that `relay.ts` makes for a page and its workers.
 *
 * @module
 */
import { createFS, type FS, type OpenedVolume, openVolume, VOLUMEFS } from "../mod.ts";

/** An open file of a subject. */
export type Open = unknown;

/** A file system under test. Paths are absolute; a position is in bytes. */
export interface Subject {
  writeFile(path: string, bytes: Uint8Array): void;
  stat(path: string): void;
  readdir(path: string): number;
  mkdir(path: string): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  open(path: string, flags: "r" | "r+" | "w"): Open;
  read(file: Open, into: Uint8Array, position: number): number;
  write(file: Open, from: Uint8Array, position: number): void;
  close(file: Open): void;
  fsync(file: Open): void;
  /** Makes everything durable. */
  sync(): void;
  /** Lets go; `again` opens what is there. */
  end(): Promise<void>;
}

/** Cairn: the calls of Emscripten's FS over a volume that a relay's worker owns. */
export class Cairn implements Subject {
  /** The volume itself, for its tickets and counters. */
  readonly volume: OpenedVolume;
  readonly #fs: FS;

  private constructor(volume: OpenedVolume) {
    this.volume = volume;
    this.#fs = createFS();
    this.#fs.mkdir("/v");
    this.#fs.mount(VOLUMEFS, { volume }, "/v");
  }

  static async open(name: string): Promise<Cairn> {
    return new Cairn(await openVolume({ name, access: "relay", blocking: "spin" }));
  }

  writeFile(path: string, bytes: Uint8Array): void {
    this.#fs.writeFile(`/v${path}`, bytes);
  }
  stat(path: string): void {
    this.#fs.stat(`/v${path}`);
  }
  readdir(path: string): number {
    return this.#fs.readdir(`/v${path}`).length;
  }
  mkdir(path: string): void {
    this.#fs.mkdir(`/v${path}`);
  }
  rename(from: string, to: string): void {
    this.#fs.rename(`/v${from}`, `/v${to}`);
  }
  unlink(path: string): void {
    this.#fs.unlink(`/v${path}`);
  }
  open(path: string, flags: "r" | "r+" | "w"): ReturnType<FS["open"]> {
    return this.#fs.open(`/v${path}`, flags);
  }
  read(file: ReturnType<FS["open"]>, into: Uint8Array, position: number): number {
    return this.#fs.read(file, into, 0, into.length, position);
  }
  write(file: ReturnType<FS["open"]>, from: Uint8Array, position: number): void {
    this.#fs.write(file, from, 0, from.length, position);
  }
  close(file: ReturnType<FS["open"]>): void {
    this.#fs.close(file);
  }
  fsync(file: ReturnType<FS["open"]>): void {
    this.#fs.fsync(file);
  }
  sync(): void {
    this.volume.sync();
  }
  end(): Promise<void> {
    return this.volume.close();
  }
}

/** What the bench calls of the peer: the names of Node's fs. */
interface PeerFS {
  init(): Promise<void>;
  writeFileSync(path: string, bytes: Uint8Array): void;
  statSync(path: string): unknown;
  readdirSync(path: string): string[];
  mkdirSync(path: string): void;
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
  openSync(path: string, flags: string): number;
  readSync(fd: number, into: Uint8Array, offset: number, length: number, position: number): number;
  writeSync(fd: number, from: Uint8Array, offset: number, length: number, position: number): number;
  closeSync(fd: number): void;
  fsyncSync(fd: number): void;
  flushSync(): void;
  dispose(): Promise<void>;
}

/** What the peer's module exports. */
interface PeerModule {
  VFSFileSystem: new (options: { root: string; mode: string }) => PeerFS;
}

/** @componentor/fs, its volume only, without a copy of each file in OPFS. */
export class Peer implements Subject {
  readonly #fs: PeerFS;

  private constructor(fs: PeerFS) {
    this.#fs = fs;
  }

  static async open(name: string, url: string): Promise<Peer> {
    const { VFSFileSystem } = await import(url) as PeerModule;
    const fs = new VFSFileSystem({ root: `/${name}`, mode: "vfs" });
    await fs.init();
    return new Peer(fs);
  }

  writeFile(path: string, bytes: Uint8Array): void {
    this.#fs.writeFileSync(path, bytes);
  }
  stat(path: string): void {
    this.#fs.statSync(path);
  }
  readdir(path: string): number {
    return this.#fs.readdirSync(path).length;
  }
  mkdir(path: string): void {
    this.#fs.mkdirSync(path);
  }
  rename(from: string, to: string): void {
    this.#fs.renameSync(from, to);
  }
  unlink(path: string): void {
    this.#fs.unlinkSync(path);
  }
  open(path: string, flags: "r" | "r+" | "w"): number {
    return this.#fs.openSync(path, flags);
  }
  read(fd: number, into: Uint8Array, position: number): number {
    return this.#fs.readSync(fd, into, 0, into.length, position);
  }
  write(fd: number, from: Uint8Array, position: number): void {
    this.#fs.writeSync(fd, from, 0, from.length, position);
  }
  close(fd: number): void {
    this.#fs.closeSync(fd);
  }
  fsync(fd: number): void {
    this.#fs.fsyncSync(fd);
  }
  sync(): void {
    this.#fs.flushSync();
  }
  end(): Promise<void> {
    return this.#fs.dispose();
  }
}
