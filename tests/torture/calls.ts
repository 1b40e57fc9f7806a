/**
 * The calls of the torture: how each is made on a volume, and its answer in a form that two volumes
 * have in common. Inodes are translated by the caller; everything else is text.
 *
 * Imports no builtin: it runs in a page too.
 */
import type { Attr } from "../../abi/attr.ts";
import { isErrnoError } from "../../abi/errno.ts";
import { S_IFDIR, S_IFREG } from "../../abi/mode.ts";
import { type Found, type Ino, LockKind, type VolumeOps } from "../../opfs/volume_ops.ts";

/** One call. What an operation does not use is absent. */
export interface Call {
  op: string;
  ino: Ino;
  /** Another inode: the link's, or the new parent's. */
  to?: Ino;
  name?: string;
  newName?: string;
  /** Position, size, mode, flags: whatever number the operation takes. */
  number?: number;
  /** Bytes of payload. */
  length?: number;
  /** From which the payload's bytes come. */
  seed?: number;
}

/** What a call has answered. */
export interface Answer {
  code?: string;
  /** The inode found or made; 0 for no inode. */
  ino?: Ino;
  text?: string;
}

/** How a volume's own inodes are found for those in the calls. */
export type Pick = (ino: Ino) => Ino;

/** Takes an exclusive whole-file lock without waiting, or gives it back; false if it is not free. */
export type TryLock = (volume: VolumeOps, ino: Ino, isTaken: boolean) => boolean;

/** Makes a call, and gives what came of it. An error that is not ours goes on. */
export function perform(volume: VolumeOps, call: Call, pick: Pick, tryLock: TryLock): Answer {
  try {
    return make(volume, call, pick, tryLock);
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    return { code: error.code };
  }
}

function make(volume: VolumeOps, call: Call, pick: Pick, tryLock: TryLock): Answer {
  const { op, name = "", newName = "", number = 0 } = call;
  const ino = pick(call.ino);
  switch (op) {
    case "lookup":
      return { ino: volume.lookup(ino, name) };
    case "lookupAttr":
      return found(
        volume.lookupAttr === undefined
          ? lookUp(volume, ino, name, false)
          : volume.lookupAttr(ino, name),
      );
    case "lookupRetain":
      return found(
        volume.lookupRetain === undefined
          ? lookUp(volume, ino, name, true)
          : volume.lookupRetain(ino, name),
      );
    case "create":
    case "mkdir":
      return { ino: volume.create(ino, name, made(op, number)) };
    case "createRetain":
      return found(
        volume.createRetain === undefined
          ? makeRetained(volume, ino, call)
          : volume.createRetain(ino, name, made(op, number)),
      );
    case "store":
      return store(volume, ino, call);
    case "link":
      return done(volume.link(ino, pick(call.to!), name));
    case "unlink":
      return done(volume.unlink(ino, name));
    case "rmdir":
      return done(volume.rmdir(ino, name));
    case "rename":
      return done(volume.rename(ino, name, pick(call.to!), newName, number));
    case "getattr":
      return { text: textOf(volume.getattr(ino)) };
    case "chmod":
      return done(volume.setattr(ino, { mode: number }));
    case "truncate":
      return done(volume.setattr(ino, { size: number }));
    case "read":
      return read(volume, ino, call);
    case "write":
      return { text: String(volume.write(ino, bytesOf(call), number)) };
    case "append":
      return appended(volume.append(ino, bytesOf(call)));
    case "readdir":
      return { text: volume.readdir(ino, 0).map((entry) => entry.name).sort().join("/") };
    case "release":
      return done(volume.release(ino));
    case "lock":
    case "unlock":
      return { text: String(tryLock(volume, ino, op === "lock")) };
    default:
      throw new TypeError(`there is no call "${op}"`);
  }
}

function made(op: string, mode: number) {
  const type = op === "mkdir" ? S_IFDIR : S_IFREG;
  return { mode: type | mode, uid: 1, gid: 2 };
}

/** The new size. */
function appended({ at, count }: { at: number; count: number }): Answer {
  return { text: String(at + count) };
}

function done(_result: void): Answer {
  return { text: "done" };
}

function found(found: Found | null): Answer {
  return found === null ? { ino: 0 } : { ino: found.ino, text: textOf(found.attr) };
}

/** What a volume without compound calls does instead. */
function lookUp(volume: VolumeOps, parent: Ino, name: string, retains: boolean): Found | null {
  const ino = volume.lookup(parent, name);
  if (ino === 0) return null;
  const attr = volume.getattr(ino);
  if (retains) volume.retain(ino);
  return { ino, attr };
}

function makeRetained(volume: VolumeOps, parent: Ino, { name = "", number = 0 }: Call): Found {
  const ino = volume.create(parent, name, made("create", number));
  volume.retain(ino);
  return { ino, attr: volume.getattr(ino) };
}

function store(volume: VolumeOps, parent: Ino, call: Call): Answer {
  const { name = "", number = 0 } = call;
  const bytes = bytesOf(call);
  if (volume.store !== undefined) {
    const { ino, count } = volume.store(parent, name, made("create", number), bytes);
    return { ino, text: String(count) };
  }
  const known = volume.lookup(parent, name);
  if (known !== 0) volume.setattr(known, { size: 0 });
  const ino = known !== 0 ? known : volume.create(parent, name, made("create", number));
  return { ino, text: String(volume.write(ino, bytes, 0)) };
}

function read(volume: VolumeOps, ino: Ino, { length = 0, number = 0 }: Call): Answer {
  const into = new Uint8Array(length);
  const count = volume.read(ino, into, number);
  return { text: `${count} ${hashOf(into.subarray(0, count))}` };
}

/** What two volumes have in common: no inode, no times, no blocks. */
function textOf({ mode, nlink, uid, gid, size }: Attr): string {
  // A directory's size is its volume's own business.
  const isDirectory = (mode & 0o170000) === S_IFDIR;
  return [mode.toString(8), nlink, uid, gid, isDirectory ? "" : size].join(" ");
}

/** The payload of a call, made anew wherever it is needed. */
export function bytesOf({ length = 0, seed = 0 }: Call): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = seed * 31 + index * 7 + (index >> 8);
  return bytes;
}

function hashOf(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16);
}

/** Locks of a volume that has them. */
export const tryVolumeLock: TryLock = (volume, ino, isTaken) => {
  const kind = LockKind.FLOCK;
  try {
    if (!isTaken) volume.unlock!(ino, 1, kind);
    else volume.lock!(ino, { kind, owner: 1, type: 1, start: 0, end: 0, wait: false });
    return true;
  } catch (error) {
    if (isErrnoError(error) && error.code === "EAGAIN") return false;
    throw error;
  }
};
