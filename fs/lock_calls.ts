/**
 * Locks, and fcntl, which has some of them.
 *
 * Layer: fs, a group of calls. One instance is one process: fcntl's locks belong to it, flock's and
 * OFD's to an open file description. No other code runs while a call waits, so a lock that would have to
 * be waited for is EDEADLK. A backend whose files others use too keeps the locks itself.
 *
 * @module
 */
import {
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_GETLK,
  F_OFD_GETLK,
  F_OFD_SETLKW,
  F_RDLCK,
  F_SETFD,
  F_SETFL,
  F_UNLCK,
  F_WRLCK,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  O_PATH,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
} from "../abi/flags.ts";
import type { RangeLock } from "../abi/locks.ts";
import type { FSStream } from "../abi/node.ts";
import { integer, refuse } from "./arguments.ts";
import type { DescriptorCalls } from "./descriptor_calls.ts";
import { inodeKey } from "./name_table.ts";
import { State } from "./state.ts";
import { streamAt, usableStream } from "./streams.ts";

const FD_CLOEXEC = 1;
/** The only process there is. */
const OWN_PID = 42;
const OFD_PID = -1;
/** An owner in another thread or process, of whom nothing is known. */
const FOREIGN_PID = 0;

/** C's struct flock. */
export interface Flock {
  /** F_RDLCK, F_WRLCK, F_UNLCK. */
  type: number;
  /** SEEK_SET, SEEK_CUR, SEEK_END. Default SEEK_SET. */
  whence?: number;
  /** Where the range starts. */
  start: number;
  /** How long it is; 0 to the end of all ends, negative before `start`. */
  len: number;
  /** Whose lock is in the way; -1 for an open file description's, 0 for another thread's. */
  pid?: number;
}

/** Locks and fcntl. */
export interface LockCalls {
  /** Locks a whole file for its open file description: LOCK_SH, LOCK_EX, LOCK_UN, with LOCK_NB. */
  flock(stream: FSStream | number, operation: number): void;

  /** fcntl: F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, and the locks with a {@link Flock}. */
  fcntl(stream: FSStream | number, command: number, argument?: number | Flock): number;
}

/** The calls; `this` is the instance. */
export const LOCK_CALLS: LockCalls & ThisType<State & DescriptorCalls> = {
  flock(stream, operation) {
    const open = usableStream(this, stream, "flock");
    const kind = integer(operation, "flock") & ~LOCK_NB;
    const type = kind === LOCK_SH ? F_RDLCK : kind === LOCK_EX ? F_WRLCK : F_UNLCK;
    if (type === F_UNLCK && kind !== LOCK_UN) refuse("EINVAL", "flock", operation);
    const file = inodeKey(open.node);
    const wanted = { owner: open.shared, type, start: 0, end: Infinity };
    const { lock } = open.stream_ops;
    const wait = (operation & LOCK_NB) === 0;
    if (lock !== undefined) return lock(open, open.shared, { ...wanted, isWhole: true, wait });
    if (this.fileLocks.set(file, wanted) === null) return;
    refuse(operation & LOCK_NB ? "EAGAIN" : "EDEADLK", "flock", open.path);
  },

  fcntl(stream, command, argument = 0) {
    const open = streamAt(this, stream, "fcntl");
    switch (command) {
      case F_DUPFD:
      case F_DUPFD_CLOEXEC: {
        const copy = this.dup(open, argument as number);
        if (command === F_DUPFD_CLOEXEC) this.closeOnExec.add(copy);
        return copy.fd as number;
      }
      case F_GETFD:
        return this.closeOnExec.has(open) ? FD_CLOEXEC : 0;
      case F_SETFD:
        if (integer(argument, "fcntl") & FD_CLOEXEC) this.closeOnExec.add(open);
        else this.closeOnExec.delete(open);
        return 0;
      case F_GETFL:
        return open.flags;
      case F_SETFL:
        this.setFlags(open, argument as number);
        return 0;
      default:
        return lockRange(this, open, command, argument);
    }
  },
};

/** Lets go of the locks that go with a descriptor which is being closed. */
export function releaseLocks(state: State, open: FSStream): void {
  const { locks, fileLocks } = state;
  const { unlock } = open.stream_ops;
  if (unlock !== undefined) {
    unlock(open, state);
    if (open.shared.descriptors === 1) unlock(open, open.shared);
  }
  if (locks.size + fileLocks.size > 0) {
    const file = inodeKey(open.node);
    locks.release(file, state);
    if (open.shared.descriptors === 1) {
      locks.release(file, open.shared);
      fileLocks.release(file, open.shared);
    }
  }
}

function lockRange(state: State, open: FSStream, command: number, argument: unknown): number {
  integer(command, "fcntl");
  const isOfd = command >= F_OFD_GETLK && command <= F_OFD_SETLKW;
  const action = isOfd ? command - F_OFD_GETLK : command - F_GETLK;
  if (![0, 1, 2].includes(action)) refuse("EINVAL", "fcntl", command);
  if (open.flags & O_PATH) refuse("EBADF", "fcntl", open.path);
  if (typeof argument !== "object" || argument === null) refuse("EINVAL", "lock", argument);
  const flock = argument as Flock;
  const wanted = { owner: isOfd ? open.shared : state, ...rangeOf(open, flock) };
  const file = inodeKey(open.node);
  const { lock, testLock } = open.stream_ops;
  const far = { ...wanted, isWhole: false, wait: action === 2 };
  if (action === 0) {
    if (wanted.type === F_UNLCK) refuse("EINVAL", "lock", open.path);
    return fillFlock(
      flock,
      testLock === undefined ? state.locks.test(file, wanted) : testLock(open, wanted.owner, far),
    );
  }
  checkLockMode(open, wanted.type);
  if (lock !== undefined) {
    lock(open, wanted.owner, far);
    return 0;
  }
  if (state.locks.set(file, wanted) === null) return 0;
  refuse(action === 1 ? "EAGAIN" : "EDEADLK", "lock", open.path);
}

function rangeOf(open: FSStream, flock: Flock): Pick<RangeLock, "type" | "start" | "end"> {
  const call = "lock";
  const { type, whence = SEEK_SET } = flock;
  if (![F_RDLCK, F_WRLCK, F_UNLCK].includes(type)) refuse("EINVAL", call, type);
  if (![SEEK_SET, SEEK_CUR, SEEK_END].includes(whence)) refuse("EINVAL", call, whence);
  const base = whence === SEEK_SET ? 0 : whence === SEEK_CUR ? open.position : sizeOf(open);
  const length = integer(flock.len, call);
  const first = base + integer(flock.start, call);
  const start = length < 0 ? first + length : first;
  if (start < 0) refuse("EINVAL", call, start);
  return { type, start, end: length === 0 ? Infinity : length < 0 ? first : first + length };
}

function sizeOf(open: FSStream): number {
  return open.node.node_ops.getattr(open.node).size;
}

/** A shared lock needs a file that may be read, an exclusive one a file that may be written. */
function checkLockMode(open: FSStream, type: number): void {
  const may = type === F_RDLCK ? open.isRead : type === F_WRLCK ? open.isWrite : true;
  if (!may) refuse("EBADF", "lock", open.path);
}

/** Writes into a struct flock what is in the way, or that nothing is. */
function fillFlock(
  flock: Flock,
  blocker: Pick<RangeLock, "type" | "start" | "end" | "owner"> | null,
): number {
  if (blocker === null) {
    flock.type = F_UNLCK;
    return 0;
  }
  flock.type = blocker.type;
  flock.whence = SEEK_SET;
  flock.start = blocker.start;
  flock.len = blocker.end === Infinity ? 0 : blocker.end - blocker.start;
  const { owner } = blocker;
  flock.pid = owner === null ? FOREIGN_PID : owner instanceof State ? OWN_PID : OFD_PID;
  return 0;
}
