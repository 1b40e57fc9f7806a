/**
 * Dispatch: one request onto the volume, and its answer into the area.
 *
 * Layer: relay, between `server.ts` and VolumeOps. The engine reads and writes the area itself:
 * nothing is copied here. An operation throws what the volume throws; `server.ts` answers that.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import type { Ino, VolumeOps } from "../volume_ops.ts";
import { dispatchCompound } from "./compound.ts";
import { pathOpChanges } from "./path_ops.ts";
import { Op, type OpCode } from "./protocol.ts";
import {
  entryFits,
  readChange,
  readCreateOptions,
  readTmpfileOptions,
  writeAttr,
  writeEntry,
  writeStatFs,
} from "./records.ts";
import type { ServedChannel } from "./served_channel.ts";

const TWO_32 = 2 ** 32;

/** Operations that are one call and one answer; the others have chunks, wait, or are the relay's own. */
export type SimpleOp = Exclude<
  OpCode,
  | typeof Op.READ
  | typeof Op.WRITE
  | typeof Op.APPEND
  | typeof Op.STORE
  | typeof Op.GETXATTR
  | typeof Op.SETXATTR
  | typeof Op.LISTXATTR
  | typeof Op.LOCK
  | typeof Op.TESTLOCK
  | typeof Op.UNLOCK
  | typeof Op.FSYNC
  | typeof Op.SYNC
  | typeof Op.METRICS
  | typeof Op.STATS
>;

const CHANGING: ReadonlySet<number> = new Set([
  Op.CREATE,
  Op.LINK,
  Op.UNLINK,
  Op.RMDIR,
  Op.RENAME,
  Op.SETATTR,
  Op.WRITE,
  Op.APPEND,
  Op.CREATE_RETAIN,
  Op.STORE,
  Op.ALLOCATE,
  Op.SETXATTR,
  Op.REMOVEXATTR,
]);

/** Whether an operation changes a name or an attribute that another client may have cached. */
export function changesSomething(op: number): boolean {
  return CHANGING.has(op) || pathOpChanges(op);
}

/** Does a simple operation and leaves its answer in the channel's writer; returns the status. */
export function dispatch(volume: VolumeOps, channel: ServedChannel): number {
  const { reader, writer } = channel;
  const op = reader.op as SimpleOp;
  switch (op) {
    case Op.LOOKUP:
      return answerIno(channel, volume.lookup(reader.ino(), reader.path()));
    case Op.CREATE:
      return answerIno(channel, create(volume, channel));
    case Op.LINK:
      return done(channel, volume.link(reader.ino(), reader.ino(), reader.path()));
    case Op.UNLINK:
      return done(channel, volume.unlink(reader.ino(), reader.path()));
    case Op.RMDIR:
      return done(channel, volume.rmdir(reader.ino(), reader.path()));
    case Op.RENAME:
      return done(channel, rename(volume, channel));
    case Op.READDIR:
      return readdir(volume, channel);
    case Op.READLINK:
      return readlink(volume, channel);
    case Op.GETATTR: {
      const ino = reader.ino();
      const attr = volume.getattr(ino);
      invariant(attr.ino === ino % TWO_32, "R6: attributes are of another inode");
      writeAttr(writer.beginResponse(), attr);
      return 0;
    }
    case Op.SETATTR:
      return done(channel, volume.setattr(reader.ino(), readChange(reader)));
    case Op.RETAIN:
      return done(channel, channel.retain(volume, reader.ino()));
    case Op.RELEASE:
      return done(channel, channel.release(volume, reader.ino()));
    case Op.STATFS: {
      const space = volume.statfs();
      writeStatFs(writer.beginResponse(), space);
      return 0;
    }
    case Op.TMPFILE:
      return answerIno(channel, tmpfile(volume, channel));
    case Op.SEEK: {
      const [ino, at] = [reader.ino(), reader.f64()];
      const position = volume.seek(ino, at, reader.u32());
      invariant(position >= at, "R6: a search goes back");
      writer.beginResponse().f64(position);
      return 0;
    }
    case Op.ALLOCATE:
      return done(channel, allocate(volume, channel));
    case Op.REMOVEXATTR: {
      const isRemoved = volume.removexattr(reader.ino(), reader.path());
      writer.beginResponse();
      return Number(isRemoved);
    }
    case Op.LOOKUP_ATTR:
    case Op.LOOKUP_RETAIN:
    case Op.CREATE_RETAIN:
    case Op.READDIR_ATTR:
    case Op.GETATTRS:
      return dispatchCompound(volume, channel);
    default:
      return unknown(op);
  }
}

/** The compiler lets only a number that is in no table of ours come here. */
function unknown(op: never): never {
  throw new ErrnoError("ENOSYS", `serve operation ${op}`);
}

function done(channel: ServedChannel, _result: void): 0 {
  channel.writer.beginResponse();
  return 0;
}

function answerIno(channel: ServedChannel, ino: Ino): 0 {
  invariant(Number.isSafeInteger(ino) && ino >= 0, "R6: what is answered is no inode");
  channel.writer.beginResponse().ino(ino);
  return 0;
}

function create(volume: VolumeOps, { reader }: ServedChannel): Ino {
  const parent = reader.ino();
  return volume.create(parent, reader.path(), readCreateOptions(reader));
}

function rename(volume: VolumeOps, { reader }: ServedChannel): void {
  const parent = reader.ino();
  const newParent = reader.ino();
  const flags = reader.u32();
  volume.rename(parent, reader.path(), newParent, reader.text(), flags);
}

/** As many entries as fit into the area; the client asks again behind the last one's cursor. */
function readdir(volume: VolumeOps, { reader, writer, memory }: ServedChannel): number {
  const [ino, after] = [reader.ino(), reader.f64()];
  const entries = volume.readdir(ino, after);
  // Else a client would list the directory for ever.
  invariant(entries.every(({ cursor }) => cursor > after), "R6: a listing goes back");
  writer.beginResponse();
  let count = 0;
  while (count < entries.length && entryFits(writer, memory.area.length)) {
    writeEntry(writer, entries[count++]!);
  }
  return count;
}

function readlink(volume: VolumeOps, { reader, writer }: ServedChannel): 0 {
  const target = volume.readlink(reader.ino());
  writer.beginResponse().text(target);
  return 0;
}

/** It is retained already, for the client. */
function tmpfile(volume: VolumeOps, channel: ServedChannel): Ino {
  const { reader } = channel;
  const ino = volume.tmpfile(reader.ino(), readTmpfileOptions(reader));
  channel.noteRetained(ino);
  return ino;
}

function allocate(volume: VolumeOps, { reader }: ServedChannel): void {
  const ino = reader.ino();
  const mode = reader.u32() | 0;
  volume.allocate(ino, mode, reader.f64(), reader.f64());
}
