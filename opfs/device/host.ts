/**
 * What is used of the host (Deno, Node), and the one path that a file of it goes by.
 *
 * Layer: device, bottom. `node:fs` and `node:child_process` are reached through the running process,
 * never imported: an import would break every bundle for the browser.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { codeOfHost } from "../../abi/thrown.ts";

/** What is used of a file's attributes. */
export interface NodeStat {
  dev: number;
  ino: number;
  nlink: number;
  size: number;
  mode: number;
  uid: number;
  gid: number;
  mtimeMs: number;
  ctimeMs: number;
  isFile(): boolean;
  isSymbolicLink(): boolean;
}

interface RealPath {
  (path: string): string;
  native?(path: string): string;
}

/** What is used of `node:fs`. */
export interface NodeFs {
  readonly constants: {
    O_RDONLY: number;
    O_RDWR: number;
    O_CREAT: number;
    O_EXCL: number;
    O_NOFOLLOW?: number;
    O_NONBLOCK?: number;
  };
  openSync(path: string, flags: number | string, mode?: number): number;
  closeSync(fd: number): void;
  readSync(fd: number, into: Uint8Array, offset: number, length: number, at: number): number;
  writeSync(fd: number, from: Uint8Array, offset: number, length: number, at: number): number;
  ftruncateSync(fd: number, sizeBytes: number): void;
  fdatasyncSync(fd: number): void;
  fstatSync(fd: number): NodeStat;
  statSync(path: string): NodeStat;
  lstatSync(path: string): NodeStat;
  statfsSync(path: string): { bavail: number; bsize: number };
  readFileSync(path: string, encoding: "utf8"): string;
  readlinkSync(path: string): string;
  writeFileSync(path: string, text: string, options: { flag: string }): void;
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
  chmodSync(path: string, mode: number): void;
  chownSync(path: string, uid: number, gid: number): void;
  linkSync(from: string, to: string): void;
  readonly realpathSync: RealPath;
}

/** What is used of `node:child_process`. */
export interface NodeChildProcess {
  spawnSync(
    program: string,
    args: readonly string[],
    options: { stdio: readonly ("ignore" | number)[] },
  ): { status: number | null; error?: unknown };
}

/** What is used of the process. */
export interface NodeProcess {
  readonly pid: number;
  readonly platform?: string;
  kill(pid: number, signal: 0): unknown;
  getBuiltinModule(name: "fs"): NodeFs;
  getBuiltinModule(name: "child_process"): NodeChildProcess;
  getBuiltinModule(name: "os"): { hostname(): string };
}

/** The running process, with its files. */
export interface Host {
  process: NodeProcess;
  fs: NodeFs;
}

/** The host. ENOTSUP in a browser, which has no host; `action` begins the message. */
export function hostFor(action: string): Host {
  const { process } = globalThis as { process?: NodeProcess };
  const fs = process?.getBuiltinModule?.("fs");
  if (process !== undefined && fs !== undefined) return { process, fs };
  throw new ErrnoError("ENOTSUP", action, { why: "there are no host files here" });
}

/** Whether two are one file, by whichever names. */
export function isSameFile(one: NodeStat, other: NodeStat): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

/** As many links as Linux follows. */
const LINKS_MAX = 40;

/**
 * The path without links and dots, in the case that the host keeps: all spellings of a name have one.
 * Where the host does not let us look it up, or looks it up wrongly (links of /proc into another
 * container; too many links), the path as it was given: opening says what is wrong with it.
 */
export function realPath(path: string, fs: NodeFs): string {
  let end = path;
  for (let count = 0; count < LINKS_MAX; count++) {
    try {
      const real = lookUp(end, fs);
      return isSameFile(fs.statSync(real), fs.statSync(end)) ? real : end;
    } catch (error) {
      if (codeOfHost(error) !== "ENOENT") return end;
    }
    // A link to what is not there yet: opening makes it where the link leads to.
    const target = targetOf(end, fs);
    if (target === null) return inRealFolder(end, fs);
    end = /^([/\\]|[A-Za-z]:)/.test(target) ? target : `${folderOf(end)}/${target}`;
  }
  return path;
}

function lookUp(path: string, fs: NodeFs): string {
  return (fs.realpathSync.native ?? fs.realpathSync)(path);
}

function targetOf(path: string, fs: NodeFs): string | null {
  try {
    return fs.readlinkSync(path);
  } catch {
    return null;
  }
}

function inRealFolder(path: string, fs: NodeFs): string {
  try {
    const name = path.slice(cutOf(path) + 1);
    return `${lookUp(folderOf(path), fs).replace(/[/\\]$/, "")}/${name}`;
  } catch {
    return path;
  }
}

/** The folder that a path's last name is in. */
export function folderOf(path: string): string {
  const cut = cutOf(path);
  return cut < 0 ? "." : cut === 0 ? "/" : path.slice(0, cut);
}

function cutOf(path: string): number {
  return Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
}
