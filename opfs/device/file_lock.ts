/**
 * The lock that keeps a second opener of a host file out, in this process and in another.
 *
 * Layer: device, used by `file.ts` and `new_file.ts`. It has two parts.
 *
 * - The file itself is locked by the operating system (`inode_lock.ts`): the lock belongs to device
 *   and inode, so symbolic and hard links, bind mounts, a new name after `mv`, other users and other
 *   containers meet it. It ends with its holder.
 * - The name is held by a file beside it, for what is not there yet, and to say who holds it: beside
 *   the real path of `NAME` lies `NAME.lock`, itself locked like that, with one line: process id,
 *   start of the process, a random word, how it is held, and where process ids mean that.
 *
 * Where there are no such locks (Node without the program `flock`, Windows), the line alone holds: it
 * is made exclusively, and a holder is alive if its process is, or is of another container or machine,
 * into which nothing of here looks. A dead one's line is moved aside
 * (rename is atomic, so only one of its successors gets it). A file with several names is refused there.
 *
 * A `NAME.lock` is ours if it is a file of one name that is empty or has one such line and no more.
 * Anything else is the user's own: it is neither followed, nor written, nor removed, and the name cannot
 * be held (EEXIST); the system's lock on the file itself does then, where there is one. On a full disk there may be no room for the line: the lock then holds without one.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { codeOfHost } from "../../abi/thrown.ts";
import { type Host, isSameFile, type NodeStat } from "./host.ts";
import { type InodeLock, lockInode } from "./inode_lock.ts";

interface DenoHost {
  readonly permissions: {
    querySync(what: { name: string; path?: string }): { state: string };
  };
}

/** A lock that is held. */
export interface FileLock {
  /** Whether the operating system holds it, so that it ends with its holder. */
  readonly isOs: boolean;
  /** Gives it back. */
  release(): void;
}

const ATTEMPTS = 20;
/** No line of ours is longer. */
const LINE_BYTES_MAX = 256;
/** The names of a namespace and a machine are no longer than this in it. */
const WORD_CHARS_MAX = 64;
const UNKNOWN = "?";
const LINE = /^(\d+) (\S+) (\S+) (os|pid)(?: (\S+)@(\S+))?\n?$/;

/**
 * Takes the lock of a name. `path` is the real one (`realPath` of `host.ts`), `called` what messages
 * call it.
 *
 * @throws {ErrnoError} EBUSY that names the process which holds it, EEXIST if `NAME.lock` is no lock
 */
export function lockName(path: string, called: string, host: Host): FileLock {
  const word = Math.random().toString(36).slice(2, 12);
  const owner = { host, called, path: `${path}.lock`, word, maySeeOthers: maySeeOthers() };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const lock = take(owner);
    if (lock !== null) return lock;
  }
  throw heldError(owner);
}

interface Owner {
  host: Host;
  called: string;
  path: string;
  word: string;
  maySeeOthers: boolean;
}

/** Whether other processes can be looked at without a question to the user. */
function maySeeOthers(): boolean {
  const deno = (globalThis as { Deno?: DenoHost }).Deno;
  if (deno === undefined) return true;
  return deno.permissions.querySync({ name: "run" }).state === "granted" &&
    deno.permissions.querySync({ name: "read", path: "/proc" }).state === "granted";
}

/** Null: the file came or went in the meantime; try again. */
function take(owner: Owner): FileLock | null {
  const { fs } = owner.host;
  const opened = openLockFile(owner);
  if (opened === null) return null;
  const { fd } = opened;
  let lock: InodeLock | null = null;
  let isKept = false;
  try {
    const outcome = lockInode({ fd, path: owner.path }, owner.host);
    if (outcome === "moved") return null;
    if (outcome === "busy") throw heldError(owner);
    if (outcome === null) return takeByLine(owner, opened.isMade);
    lock = outcome;
    if (!isAt(owner, fs.fstatSync(fd))) return null;
    const holder = holderOf(owner);
    if (holder?.how === "pid" && isAlive(holder, owner)) throw heldError(owner);
    fs.ftruncateSync(fd, 0);
    writeIfRoom(fd, owner);
    isKept = true;
    return { isOs: true, release: () => giveBack(fd, outcome, owner) };
  } finally {
    if (!isKept) {
      lock?.release();
      fs.closeSync(fd);
    }
  }
}

/** The lock file, which is made if it is missing; null: try again. */
function openLockFile(owner: Owner): { fd: number; isMade: boolean } | null {
  const { fs } = owner.host;
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
  const found = statOf(owner);
  if (found !== null && !isPlain(found)) throw foreignError(owner);
  const isMade = found === null;
  const flags = isMade ? O_RDWR | O_CREAT | O_EXCL : O_RDWR | O_NOFOLLOW | O_NONBLOCK;
  try {
    return { fd: fs.openSync(owner.path, flags, 0o644), isMade };
  } catch (error) {
    // Another process made it or took it away in the meantime. Without a folder no attempt will do
    // better.
    const hasMoved = codeOfHost(error) === (isMade ? "EEXIST" : "ENOENT");
    if (hasMoved) return null;
    throw error;
  }
}

function statOf({ path, host }: Owner): NodeStat | null {
  try {
    return host.fs.lstatSync(path);
  } catch (error) {
    if (codeOfHost(error) === "ENOENT") return null;
    throw error;
  }
}

/** A file of its own: no link leads elsewhere, no other name leads here, and it may hold a line. */
function isPlain(stat: NodeStat): boolean {
  return stat.isFile() && stat.nlink === 1 && stat.size <= LINE_BYTES_MAX;
}

/** Whether the lock file is still the one that was opened. */
function isAt(owner: Owner, opened: NodeStat): boolean {
  const found = statOf(owner);
  return found !== null && isPlain(found) && isSameFile(found, opened);
}

function giveBack(fd: number, lock: InodeLock, owner: Owner): void {
  const { fs } = owner.host;
  try {
    // What is locked is ours, whatever its line says.
    if (isAt(owner, fs.fstatSync(fd))) removeQuietly(owner);
  } finally {
    lock.release();
    fs.closeSync(fd);
  }
}

/** Who finds no line reads "another process" in the message. */
function writeIfRoom(fd: number, owner: Owner): void {
  const line = new TextEncoder().encode(lineOf(owner, "os"));
  try {
    owner.host.fs.writeSync(fd, line, 0, line.length, 0);
  } catch (error) {
    if (!isFull(error)) throw error;
  }
}

function isFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes(codeOfHost(error));
}

/** Null: a dead process's line was in the way and is gone now; try again. */
function takeByLine(owner: Owner, isMade: boolean): FileLock | null {
  const { fs } = owner.host;
  if (isMade) fs.unlinkSync(owner.path);
  try {
    fs.writeFileSync(owner.path, lineOf(owner, "pid"), { flag: "wx" });
  } catch (error) {
    if (isFull(error)) removeQuietly(owner);
    if (codeOfHost(error) !== "EEXIST") throw error;
    const holder = holderOf(owner);
    if (holder === null) return null;
    if (isAlive(holder, owner)) throw heldError(owner);
    moveAside(owner, holder.word);
    return null;
  }
  return { isOs: false, release: () => removeIfOurs(owner) };
}

function moveAside(owner: Owner, deadWord: string): void {
  const { fs } = owner.host;
  const aside = `${owner.path}.${owner.word}`;
  try {
    fs.renameSync(owner.path, aside);
    const moved = fs.readFileSync(aside, "utf8");
    if (!moved.includes(` ${deadWord} `)) fs.linkSync(aside, owner.path);
    fs.unlinkSync(aside);
  } catch {
    // Another successor was faster; the next attempt finds its line.
  }
}

/** Another may have thought us dead. */
function removeIfOurs(owner: Owner): void {
  if (statOf(owner) !== null && holderOf(owner)?.word === owner.word) removeQuietly(owner);
}

function removeQuietly(owner: Owner): void {
  try {
    owner.host.fs.unlinkSync(owner.path);
  } catch {
    // The folder may be gone or read-only; the line names a process that will be dead.
  }
}

/** Where a process id means one process: a namespace of Linux, and a machine; "?" where that is not known. */
interface Place {
  namespace: string;
  machine: string;
}

interface Holder extends Place {
  pid: number;
  start: string;
  word: string;
  how: string;
}

function lineOf(owner: Owner, how: "os" | "pid"): string {
  const { pid } = owner.host.process;
  const { namespace, machine } = placeOf(owner.host);
  return `${pid} ${startOf(pid, owner)} ${owner.word} ${how} ${namespace}@${machine}\n`;
}

function placeOf({ fs, process }: Host): Place {
  return {
    namespace: wordOr(() => fs.readlinkSync("/proc/self/ns/pid")),
    machine: wordOr(() => process.getBuiltinModule("os").hostname()),
  };
}

/** What may stand in a line; "?" for what cannot be had. */
function wordOr(ask: () => string): string {
  try {
    return ask().replace(/[\s@]/g, "").slice(0, WORD_CHARS_MAX) || UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}

/** Whether a line is of a container or a machine whose processes cannot be seen from here. */
function isElsewhere({ namespace, machine }: Holder, { host }: Owner): boolean {
  const here = placeOf(host);
  return isOther(namespace, here.namespace) || isOther(machine, here.machine);
}

function isOther(there: string, here: string): boolean {
  return there !== UNKNOWN && here !== UNKNOWN && there !== here;
}

/** Who the line names; null for an empty file. EEXIST if it is no line of ours. */
function holderOf(owner: Owner): Holder | null {
  const found = statOf(owner);
  if (found === null) return null;
  if (!isPlain(found)) throw foreignError(owner);
  const text = textOf(owner);
  if (text === "") return null;
  const [, pid, start, word, how, namespace = UNKNOWN, machine = UNKNOWN] = LINE.exec(text) ?? [];
  if (how === undefined) throw foreignError(owner);
  return { pid: Number(pid), start: start!, word: word!, how, namespace, machine };
}

/** "" where it has just gone. */
function textOf({ path, host }: Owner): string {
  try {
    return host.fs.readFileSync(path, "utf8");
  } catch (error) {
    if (codeOfHost(error) === "ENOENT") return "";
    throw error;
  }
}

/**
 * When a process began, in the kernel's ticks, or "?" where that cannot be seen: a container may have the
 * /proc of another one, in which that id is another process.
 */
function startOf(pid: number, owner: Owner): string {
  const { fs, process } = owner.host;
  if (!owner.maySeeOthers) return UNKNOWN;
  try {
    if (parseInt(fs.readFileSync("/proc/self/stat", "utf8")) !== process.pid) return UNKNOWN;
    const text = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}

/** Whether the process is there, and is not a later one that got the same id. */
function isAlive(holder: Holder, owner: Owner): boolean {
  if (!owner.maySeeOthers || isElsewhere(holder, owner)) return true;
  try {
    owner.host.process.kill(holder.pid, 0);
  } catch (error) {
    if (codeOfHost(error) === "ESRCH") return false;
  }
  const start = startOf(holder.pid, owner);
  return start === UNKNOWN || holder.start === UNKNOWN || start === holder.start;
}

function heldError(owner: Owner): ErrnoError {
  const holder = holderOf(owner);
  const where = holder !== null && isElsewhere(holder, owner)
    ? " of another container or machine"
    : "";
  const who = holder === null ? "another process" : `process ${holder.pid}${where}`;
  // Where the system locks nothing here, a line of a holder that it has locked for is all there is too.
  const isLine = holder === null || holder.how === "pid" || where !== "";
  const rest = isLine ? ` (or remove "${owner.path}" if that process is gone)` : "";
  const hint = `close it there first${rest}`;
  return new ErrnoError("EBUSY", `open "${owner.called}"`, { why: `${who} holds it; ${hint}` });
}

function foreignError(owner: Owner): ErrnoError {
  const why = `"${owner.path}" is in the place of its lock and is not ours`;
  return new ErrnoError("EEXIST", `open "${owner.called}"`, {
    why: `${why}; give one of them another name`,
  });
}
