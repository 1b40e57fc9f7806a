/**
 * A volume on memory that counts its calls. A test may put a call of its own in place of a method;
 * `check` closes what is below and fails unless the image is whole.
 */
import { assertEquals } from "@std/assert";
import {
  type Appended,
  type Attr,
  type AttrChange,
  checkVolume,
  type CreateOptions,
  type DirEntry,
  type Ino,
  memoryHandle,
  openVolumeSync,
  type StatFs,
  type TmpfileOptions,
  type VolumeOps,
} from "../../../mod.ts";

/** Calls of a volume, counted by name. */
export class CountedVolume implements VolumeOps {
  readonly calls: Map<string, number> = new Map();
  readonly #handle = memoryHandle();
  readonly #volume = openVolumeSync(this.#handle);

  get root(): Ino {
    return this.#volume.root;
  }

  get generation(): number {
    return this.#volume.generation;
  }

  #count(name: string): VolumeOps {
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
    return this.#volume;
  }

  /** How many `retain` have no `release`. */
  get retained(): number {
    return (this.calls.get("retain") ?? 0) - (this.calls.get("release") ?? 0);
  }

  lookup(parent: Ino, name: string): Ino {
    return this.#count("lookup").lookup(parent, name);
  }
  create(parent: Ino, name: string, options: CreateOptions): Ino {
    return this.#count("create").create(parent, name, options);
  }
  link(ino: Ino, parent: Ino, name: string): void {
    this.#count("link").link(ino, parent, name);
  }
  unlink(parent: Ino, name: string): void {
    this.#count("unlink").unlink(parent, name);
  }
  rmdir(parent: Ino, name: string): void {
    this.#count("rmdir").rmdir(parent, name);
  }
  rename(parent: Ino, name: string, newParent: Ino, newName: string, flags: number): void {
    this.#count("rename").rename(parent, name, newParent, newName, flags);
  }
  readdir(ino: Ino, after: number): DirEntry[] {
    return this.#count("readdir").readdir(ino, after);
  }
  readlink(ino: Ino): string {
    return this.#count("readlink").readlink(ino);
  }
  getattr(ino: Ino): Attr {
    return this.#count("getattr").getattr(ino);
  }
  setattr(ino: Ino, change: AttrChange): void {
    this.#count("setattr").setattr(ino, change);
  }
  read(ino: Ino, into: Uint8Array, at: number): number {
    return this.#count("read").read(ino, into, at);
  }
  write(ino: Ino, from: Uint8Array, at: number): number {
    return this.#count("write").write(ino, from, at);
  }
  append(ino: Ino, from: Uint8Array): Appended {
    return this.#count("append").append(ino, from);
  }
  retain(ino: Ino): void {
    this.#count("retain").retain(ino);
  }
  release(ino: Ino): void {
    this.#count("release").release(ino);
  }
  fsync(ino: Ino): void {
    this.#count("fsync").fsync(ino);
  }
  sync(): void {
    this.#count("sync").sync();
  }
  tmpfile(parent: Ino, options: TmpfileOptions): Ino {
    return this.#count("tmpfile").tmpfile(parent, options);
  }
  seek(ino: Ino, at: number, whence: number): number {
    return this.#count("seek").seek(ino, at, whence);
  }
  allocate(ino: Ino, mode: number, at: number, length: number): void {
    this.#count("allocate").allocate(ino, mode, at, length);
  }
  getxattr(ino: Ino, name: string): Uint8Array | null {
    return this.#count("getxattr").getxattr(ino, name);
  }
  setxattr(ino: Ino, name: string, value: Uint8Array, flags: number): void {
    this.#count("setxattr").setxattr(ino, name, value, flags);
  }
  listxattr(ino: Ino): string[] {
    return this.#count("listxattr").listxattr(ino);
  }
  removexattr(ino: Ino, name: string): boolean {
    return this.#count("removexattr").removexattr(ino, name);
  }
  statfs(): StatFs {
    return this.#count("statfs").statfs();
  }
  close(): void {
    this.#volume.close();
  }

  /** Closes, and fails unless the image is whole. */
  check(): void {
    this.#volume.close();
    assertEquals(checkVolume(this.#handle).violations, []);
  }
}
