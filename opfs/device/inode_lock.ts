/**
 * The operating system's lock on an open file: it belongs to device and inode, so every name of the
 * file meets it, and it ends with the process that holds it.
 *
 * Layer: device, used by `file.ts` and `file_lock.ts`. It is flock(2) wherever there is one:
 *
 * - Deno has a call, for files that it has opened by itself: so the file is opened once more.
 * - Node has none. On Linux the program `flock` is started with our descriptor as its own: the lock
 *   belongs to what was opened, not to the process that asked, so it stays when the program is gone
 *   and ends when we close. On macOS and the BSDs open(2) takes it, by O_EXLOCK.
 * - Elsewhere no such lock exists: `file_lock.ts` says what happens then.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { codeOfHost } from "../../abi/thrown.ts";
import { type Host, isSameFile } from "./host.ts";

interface DenoFile {
  tryLockSync(exclusive: boolean): boolean;
  statSync(): { ino: number | null; dev: number };
  close(): void;
}

interface DenoHost {
  readonly build: { os: string };
  openSync(path: string, options: { read: true; write: true }): DenoFile;
}

/** A lock that is held. */
export interface InodeLock {
  /** Gives it back; it ends at the latest when the file that it was taken on is closed. */
  release(): void;
}

/** Locks `fd`, which `path` led to when it was opened. */
export interface ToLock {
  fd: number;
  path: string;
}

/**
 * Takes the lock. "busy": another has it. "moved": the path leads to another file by now. null: there
 * are no such locks here.
 *
 * @throws {ErrnoError} ENOLCK on a filesystem that has no locks
 */
export function lockInode(file: ToLock, host: Host): InodeLock | "busy" | "moved" | null {
  const deno = (globalThis as { Deno?: DenoHost }).Deno;
  if (deno !== undefined) return deno.build.os === "windows" ? null : lockByDeno(file, host, deno);
  const { platform } = host.process;
  if (platform === "linux" || platform === "android") return lockByProgram(file, host);
  if (platform === "darwin" || platform?.endsWith("bsd")) return lockByOpening(file, host);
  return null;
}

function lockByDeno(
  { fd, path }: ToLock,
  { fs }: Host,
  deno: DenoHost,
): InodeLock | "busy" | "moved" {
  const file = openIfThere(() => deno.openSync(path, { read: true, write: true }));
  if (file === null) return "moved";
  try {
    const { ino, dev } = file.statSync();
    const own = fs.fstatSync(fd);
    if (ino !== own.ino || dev !== own.dev) return closed(file, "moved");
    if (!file.tryLockSync(true)) return closed(file, "busy");
  } catch (error) {
    file.close();
    throw error;
  }
  return { release: () => file.close() };
}

/** Null: it has been removed or renamed since it was opened for the first time. */
function openIfThere<T>(open: () => T): T | null {
  try {
    return open();
  } catch (error) {
    if (codeOfHost(error) === "ENOENT") return null;
    throw error;
  }
}

function closed<T>(file: DenoFile, outcome: T): T {
  file.close();
  return outcome;
}

/** The descriptor as the program has it: after input, output and errors. */
const CHILD_FD = 3;
/** How util-linux ends when the kernel refuses a lock for another reason than a holder. */
const REFUSED = 71;

function lockByProgram({ fd, path }: ToLock, { process }: Host): InodeLock | "busy" | null {
  const args = ["-n", "-x", String(CHILD_FD)];
  const stdio = ["ignore", "ignore", "ignore", fd] as const;
  let status: number | null;
  try {
    ({ status } = process.getBuiltinModule("child_process").spawnSync("flock", args, { stdio }));
  } catch {
    return null; // Node's permissions forbid it.
  }
  if (status === 0) return { release: () => {} };
  if (status === 1) return "busy";
  if (status !== REFUSED) return null;
  throw new ErrnoError("ENOLCK", `lock "${path}"`, { why: "this filesystem has no locks" });
}

/** O_EXLOCK | O_NONBLOCK, alike on macOS and the BSDs. */
const LOCKING = 0x20 | 0x4;

function lockByOpening({ fd, path }: ToLock, { fs }: Host): InodeLock | "busy" | "moved" {
  let own: number | null;
  try {
    own = openIfThere(() => fs.openSync(path, fs.constants.O_RDWR | LOCKING));
  } catch (error) {
    if (codeOfHost(error) === "EAGAIN") return "busy";
    throw error;
  }
  if (own === null) return "moved";
  if (isSameFile(fs.fstatSync(own), fs.fstatSync(fd))) return { release: () => fs.closeSync(own) };
  fs.closeSync(own);
  return "moved";
}
