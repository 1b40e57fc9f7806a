/**
 * The host's files as a tree to copy from and to.
 *
 * Layer: cli. `node:fs`, and `linux_calls.ts` for what that cannot do; where that is missing, times
 * are exact to the millisecond, holes are filled, and extended attributes and special files are
 * left out.
 * A node is a path. Owners are given by root only, as everywhere.
 *
 * @module
 */
import {
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { type Attr, ErrnoError, isLink } from "../../mod.ts";
import { withoutOwner } from "./copy_tree.ts";
import { type Holes, type HostFile, LinuxCalls } from "../shared/linux_calls.ts";
import { freeName } from "../shared/place.ts";
import type { Contents, Entry, Kept, NewContents, Tree, Xattr } from "./tree_ops.ts";
import { messageOf } from "../shared/verb.ts";

const PERMISSION_BITS = 0o7777;

/** The host's files. */
export class HostTree implements Tree<string> {
  readonly #linux: LinuxCalls | null;

  /** `linux` is for tests that do without. */
  constructor(linux: LinuxCalls | null = LinuxCalls.load()) {
    this.#linux = linux;
  }

  /** What a path leads to, the last link not followed; null if nothing is there. */
  at(path: string): Entry<string> | null {
    try {
      return { node: path, ...this.#stat(path) };
    } catch (error) {
      if ((error as { code?: unknown }).code === "ENOENT") return null;
      throw error;
    }
  }

  look(directory: string, name: string): Entry<string> | null {
    return this.at(join(directory, name));
  }

  names(directory: string): string[] {
    return readdirSync(directory).sort((one, other) => one < other ? -1 : 1);
  }

  readlink(node: string): string {
    try {
      const bytes = readlinkSync(node, { encoding: "buffer" });
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (error) {
      if (typeof (error as { code?: unknown }).code === "string" && !(error instanceof TypeError)) {
        throw error;
      }
      throw new ErrnoError("EILSEQ", "read the link", { why: "it is not UTF-8", cause: error });
    }
  }

  xattrs(node: string): Xattr[] {
    const found: Xattr[] = [];
    for (const name of this.#linux?.xattrNames(node) ?? []) {
      const value = this.#linux!.xattr(node, name);
      if (value !== null) found.push([name, value]);
    }
    return found;
  }

  open({ node, attr }: Entry<string>): Contents {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    const fd = openSync(node, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const isSparse = attr.blocks * 512 < attr.size;
    try {
      const holes = isSparse ? this.#linux?.holesOf(node) ?? null : null;
      return new HostContents(fd, holes);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  begin(directory: string, name: string): NewContents<string> {
    const temporary = join(directory, freeName((free) => this.look(directory, free) !== null));
    const fd = openSync(temporary, "wx", 0o600);
    const path = join(directory, name);
    let isKept = false;
    return {
      write: (bytes, at) => writeWhole(fd, bytes, at),
      resize: (sizeBytes) => ftruncateSync(fd, sizeBytes),
      keep: (attr, xattrs): Kept<string> => {
        const lacks = this.applyAttributes(temporary, attr, xattrs);
        // The old file must not be gone before its replacement is there.
        if (this.at(path) !== null) fsyncSync(fd);
        renameSync(temporary, path);
        isKept = true;
        return { node: path, lacks };
      },
      close(): void {
        closeSync(fd);
        if (!isKept) rmSync(temporary, { force: true });
      },
    };
  }

  makeDirectory(directory: string, name: string): string {
    const path = join(directory, name);
    mkdirSync(path, 0o700);
    return path;
  }

  makeLink(directory: string, name: string, target: string): string {
    const path = join(directory, name);
    symlinkSync(target, path);
    return path;
  }

  makeSpecial(directory: string, name: string, attr: Attr): string {
    if (this.#linux === null) {
      throw new ErrnoError("ENOTSUP", "make it", { why: "there is no way to here" });
    }
    const path = join(directory, name);
    this.#linux.makeNode(path, attr);
    return path;
  }

  link(node: string, directory: string, name: string): string {
    const path = join(directory, name);
    linkSync(node, path);
    return path;
  }

  rename(directory: string, from: string, to: string): string {
    const path = join(directory, to);
    renameSync(join(directory, from), path);
    return path;
  }

  remove(directory: string, name: string): void {
    rmSync(join(directory, name), { force: true });
  }

  /** The order matters: a new owner takes setuid and capabilities away, everything else the times. */
  applyAttributes(node: string, wanted: Attr, xattrs: readonly Xattr[]): string[] {
    const lacks: string[] = [];
    const attr = isOwnerGiven(node, wanted) ? wanted : withoutOwner(wanted);
    for (const [name, value] of xattrs) {
      try {
        if (this.#linux === null) throw new ErrnoError("ENOTSUP", `set the attribute "${name}"`);
        this.#linux.setXattr(node, name, value);
      } catch (error) {
        lacks.push(messageOf(error));
      }
    }
    if (!isLink(attr.mode)) chmodSync(node, attr.mode & PERMISSION_BITS);
    if (this.#linux === null) lutimesSync(node, new Date(attr.atime), new Date(attr.mtime));
    else this.#linux.setTimes(node, attr);
    return lacks;
  }

  #stat(path: string): HostFile {
    if (this.#linux !== null) return this.#linux.stat(path);
    const { dev: _dev, ino, atimeMs, mtimeMs, ctimeMs, ...rest } = lstatSync(path);
    const { mode, nlink, uid, gid, rdev, size, blocks } = rest;
    const times = { atime: atimeMs, mtime: mtimeMs, ctime: ctimeMs };
    return {
      key: keyOf(path),
      attr: { ino, mode, nlink, uid, gid, rdev, size, blocks, ...times },
    };
  }
}

/** Inode numbers may be larger than a double can distinguish. */
function keyOf(path: string): string {
  const { dev, ino } = lstatSync(path, { bigint: true });
  return `${dev}:${ino}`;
}

class HostContents implements Contents {
  readonly #fd: number;
  readonly #holes: Holes | null;

  constructor(fd: number, holes: Holes | null) {
    this.#fd = fd;
    this.#holes = holes;
  }

  dataAt(at: number): number {
    return this.#holes?.dataAt(at) ?? at;
  }

  holeAt(at: number): number {
    const end = this.#holes?.holeAt(at) ?? -1;
    return end > at ? end : Infinity;
  }

  read(into: Uint8Array, at: number): number {
    return readSync(this.#fd, into, 0, into.length, at);
  }

  close(): void {
    this.#holes?.close();
    closeSync(this.#fd);
  }
}

function isOwnerGiven(path: string, { uid, gid }: Attr): boolean {
  try {
    lchownSync(path, uid, gid);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EPERM") throw error;
    return false;
  }
}

function writeWhole(fd: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, at + done);
  }
}

function join(directory: string, name: string): string {
  return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
}
