/**
 * The lock that keeps a second opener of a host file out, in this process and in another.
 *
 * Layer: device, used by `file.ts` alone. Beside `NAME` lies `NAME.lock` as long as somebody holds
 * it, with one line: process id, start of the process, a random word, and how it is held.
 *
 * - `os`: under Deno the file is locked by the operating system too, which lets go when the process
 *   dies, so a `.lock` file that is there but not locked is a dead one's.
 * - `pid`: Node has no such lock. The line is created exclusively; a holder is alive if its process
 *   is. A dead one's line is moved aside (rename is atomic, so only one heir gets it).
 *
 * Each side respects the other's. On a full disk there may be no room for the line: Deno's lock then
 * holds without one, so that files can still be deleted there. Needs permission to read and write
 * the folder, nothing more.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";

/** What is used of `node:fs`. */
export interface NodeFs {
  readonly constants: { O_RDWR: number; O_CREAT: number; O_RDONLY: number };
  openSync(path: string, flags: number | string, mode?: number): number;
  closeSync(fd: number): void;
  readSync(fd: number, into: Uint8Array, offset: number, length: number, at: number): number;
  writeSync(fd: number, from: Uint8Array, offset: number, length: number, at: number): number;
  ftruncateSync(fd: number, sizeBytes: number): void;
  fdatasyncSync(fd: number): void;
  fstatSync(fd: number): { size: number; isFile(): boolean };
  statfsSync(path: string): { bavail: number; bsize: number };
  readFileSync(path: string, encoding: "utf8"): string;
  writeFileSync(path: string, text: string, options: { flag: string }): void;
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
  linkSync(from: string, to: string): void;
}

/** What is used of the process. */
export interface NodeProcess {
  readonly pid: number;
  kill(pid: number, signal: 0): unknown;
  getBuiltinModule(name: "fs"): NodeFs;
}

interface DenoFile {
  tryLockSync(exclusive: boolean): boolean;
  statSync(): { ino: number | null };
  writeSync(bytes: Uint8Array): number;
  truncateSync(sizeBytes: number): void;
  close(): void;
}

interface DenoHost {
  readonly FsFile: { prototype: object };
  readonly permissions: {
    querySync(what: { name: string; path?: string }): { state: string };
  };
  openSync(path: string, options: { read: true; write: true; create: true }): DenoFile;
  statSync(path: string): { ino: number | null };
}

/** A lock that is held. */
export interface FileLock {
  /** Gives it back. */
  release(): void;
}

const ATTEMPTS = 20;

/**
 * Takes the lock of `path`.
 *
 * @throws {ErrnoError} EBUSY that names the process which holds it
 */
export function lockFile(path: string, fs: NodeFs, process: NodeProcess): FileLock {
  const host = (globalThis as { Deno?: DenoHost }).Deno;
  const word = Math.random().toString(36).slice(2, 12);
  const owner = { fs, process, path: `${path}.lock`, word, maySeeOthers: maySeeOthers(host) };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const lock = host === undefined ? takePidLock(owner) : takeOsLock(owner, host);
    if (lock !== null) return lock;
  }
  throw held(owner);
}

interface Owner {
  fs: NodeFs;
  process: NodeProcess;
  path: string;
  word: string;
  maySeeOthers: boolean;
}

/** Whether other processes can be looked at without a question to the user. */
function maySeeOthers(host: DenoHost | undefined): boolean {
  if (host === undefined) return true;
  return host.permissions.querySync({ name: "run" }).state === "granted" &&
    host.permissions.querySync({ name: "read", path: "/proc" }).state === "granted";
}

/** Null: the file was taken away between opening and locking it; try again. */
function takeOsLock(owner: Owner, host: DenoHost): FileLock | null {
  const file = host.openSync(owner.path, { read: true, write: true, create: true });
  try {
    if (!file.tryLockSync(true)) throw held(owner);
    if (inodeAt(owner.path, host) !== file.statSync().ino) {
      file.close();
      return null;
    }
    const holder = holderOf(owner);
    if (holder?.how === "pid" && isAlive(holder, owner)) throw held(owner);
    file.truncateSync(0);
    writeIfRoom(file, lineOf(owner, "os"));
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    release(): void {
      // What is locked is ours, whatever the line says.
      if (inodeAt(owner.path, host) === file.statSync().ino) removeQuietly(owner);
      file.close();
    },
  };
}

/** Who reads no line is told "another process". */
function writeIfRoom(file: DenoFile, line: string): void {
  try {
    file.writeSync(new TextEncoder().encode(line));
  } catch (error) {
    if (!isFull(error)) throw error;
  }
}

function isFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes(String((error as { code?: unknown }).code));
}

function inodeAt(path: string, host: DenoHost): number | null {
  try {
    return host.statSync(path).ino;
  } catch {
    return null;
  }
}

/** Null: somebody else's dead line was in the way and is gone now; try again. */
function takePidLock(owner: Owner): FileLock | null {
  try {
    owner.fs.writeFileSync(owner.path, lineOf(owner, "pid"), { flag: "wx" });
  } catch (error) {
    if (isFull(error)) removeQuietly(owner);
    if ((error as { code?: unknown }).code !== "EEXIST") throw error;
    const holder = holderOf(owner);
    if (holder === null) return null;
    if (isAlive(holder, owner)) throw held(owner);
    moveAside(owner, holder.word);
    return null;
  }
  return { release: () => removeIfOurs(owner) };
}

function moveAside(owner: Owner, deadWord: string): void {
  const aside = `${owner.path}.${owner.word}`;
  try {
    owner.fs.renameSync(owner.path, aside);
    const moved = owner.fs.readFileSync(aside, "utf8");
    if (!moved.includes(` ${deadWord} `)) owner.fs.linkSync(aside, owner.path);
    owner.fs.unlinkSync(aside);
  } catch {
    // Another heir was faster; the next attempt meets it.
  }
}

/** Node's: somebody may have thought us dead. */
function removeIfOurs(owner: Owner): void {
  if (holderOf(owner)?.word === owner.word) removeQuietly(owner);
}

function removeQuietly(owner: Owner): void {
  try {
    owner.fs.unlinkSync(owner.path);
  } catch {
    // The folder may be gone or read-only; the line names a process that will be dead.
  }
}

interface Holder {
  pid: number;
  start: string;
  word: string;
  how: string;
}

function lineOf(owner: Owner, how: "os" | "pid"): string {
  const { pid } = owner.process;
  return `${pid} ${startOf(pid, owner)} ${owner.word} ${how}\n`;
}

/** Who the line names; null if there is no whole line. */
function holderOf(owner: Owner): Holder | null {
  try {
    const [pid, start, word, how] = owner.fs.readFileSync(owner.path, "utf8").trim().split(" ");
    if (how === undefined) return null;
    return { pid: Number(pid), start: start!, word: word!, how };
  } catch {
    return null;
  }
}

/** When a process began, in the kernel's ticks, or "?" where that cannot be seen. */
function startOf(pid: number, owner: Owner): string {
  if (!owner.maySeeOthers) return "?";
  try {
    const text = owner.fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "?";
  } catch {
    return "?";
  }
}

/** Whether the process is there, and is not a later one that got the same id. */
function isAlive(holder: Holder, owner: Owner): boolean {
  if (!owner.maySeeOthers) return true;
  try {
    owner.process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as { code?: unknown }).code === "ESRCH") return false;
  }
  const start = startOf(holder.pid, owner);
  return start === "?" || holder.start === "?" || start === holder.start;
}

function held(owner: Owner): ErrnoError {
  const pid = holderOf(owner)?.pid;
  const who = pid === undefined ? "another process" : `process ${pid}`;
  const volume = owner.path.slice(0, -".lock".length);
  const hint = `close it there first (or remove "${owner.path}" if that process is gone)`;
  return new ErrnoError("EBUSY", `open "${volume}": ${who} holds it; ${hint}`);
}
