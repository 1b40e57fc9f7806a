/**
 * Serving: what the relay does for a request of one piece, and what it answers.
 *
 * Layer: relay, below `operations.ts`, whose rows call this. The reader gives the arguments in the
 * order in which the row's `ask` has written them; if the volume throws, `server.ts` answers the
 * error. Compound requests are in `compound.ts`.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";
import { shownIno } from "../../abi/words.ts";
import type { Ino, VolumeOps } from "../volume_ops.ts";
import {
  entryFits,
  readCreateOptions,
  readTmpfileOptions,
  writeAttr,
  writeEntry,
  writeStatFs,
} from "./records.ts";
import type { ServedChannel } from "./served_channel.ts";

/** Answers nothing but that the call is done. */
export function done(channel: ServedChannel, _result: void): 0 {
  channel.writer.beginResponse();
  return 0;
}

function answerIno(channel: ServedChannel, ino: Ino): 0 {
  invariant(Number.isSafeInteger(ino) && ino >= 0, "R6: what is answered is no inode");
  channel.writer.beginResponse().ino(ino);
  return 0;
}

/** LOOKUP. */
export function lookup(volume: VolumeOps, channel: ServedChannel): 0 {
  const { reader } = channel;
  return answerIno(channel, volume.lookup(reader.ino(), reader.path()));
}

/** CREATE. */
export function create(volume: VolumeOps, channel: ServedChannel): 0 {
  const { reader } = channel;
  const parent = reader.ino();
  return answerIno(channel, volume.create(parent, reader.path(), readCreateOptions(reader)));
}

/** RENAME. */
export function rename(volume: VolumeOps, channel: ServedChannel): 0 {
  const { reader } = channel;
  const parent = reader.ino();
  const newParent = reader.ino();
  const flags = reader.u32();
  return done(channel, volume.rename(parent, reader.path(), newParent, reader.text(), flags));
}

/** READDIR: as many entries as fit into the area; the client asks again after the last one. */
export function readdir(volume: VolumeOps, { reader, writer, memory }: ServedChannel): number {
  const [ino, after] = [reader.ino(), reader.f64()];
  const entries = volume.readdir(ino, after);
  // Otherwise a client would list the directory for ever.
  invariant(entries.every(({ cursor }) => cursor > after), "R6: a listing goes back");
  writer.beginResponse();
  let count = 0;
  while (count < entries.length && entryFits(writer, memory.area.length)) {
    writeEntry(writer, entries[count++]!);
  }
  return count;
}

/** READLINK. */
export function readlink(volume: VolumeOps, { reader, writer }: ServedChannel): 0 {
  const target = volume.readlink(reader.ino());
  writer.beginResponse().text(target);
  return 0;
}

/** GETATTR. */
export function getattr(volume: VolumeOps, { reader, writer }: ServedChannel): 0 {
  const ino = reader.ino();
  const attr = volume.getattr(ino);
  invariant(attr.ino === shownIno(ino), "R6: attributes are of another inode");
  writeAttr(writer.beginResponse(), attr);
  return 0;
}

/** STATFS. */
export function statfs(volume: VolumeOps, { writer }: ServedChannel): 0 {
  const space = volume.statfs();
  writeStatFs(writer.beginResponse(), space);
  return 0;
}

/** TMPFILE: the file is retained already, for the client. */
export function tmpfile(volume: VolumeOps, channel: ServedChannel): 0 {
  const { reader } = channel;
  const ino = volume.tmpfile(reader.ino(), readTmpfileOptions(reader));
  channel.noteRetained(ino);
  return answerIno(channel, ino);
}

/** SEEK. */
export function seek(volume: VolumeOps, { reader, writer }: ServedChannel): 0 {
  const [ino, at] = [reader.ino(), reader.f64()];
  const position = volume.seek(ino, at, reader.u32());
  invariant(position >= at, "R6: a search goes back");
  writer.beginResponse().f64(position);
  return 0;
}

/** ALLOCATE. */
export function allocate(volume: VolumeOps, channel: ServedChannel): 0 {
  const { reader } = channel;
  const ino = reader.ino();
  const mode = reader.u32() | 0;
  return done(channel, volume.allocate(ino, mode, reader.f64(), reader.f64()));
}

/** COPY_RANGE. */
export function copyRange(volume: VolumeOps, { reader, writer }: ServedChannel): 0 {
  const [source, at, target, to] = [reader.ino(), reader.f64(), reader.ino(), reader.f64()];
  const length = reader.f64();
  const count = volume.copyRange(source, at, target, to, length);
  invariant(count >= 0 && count <= length, "R3: more is copied than was asked for");
  writer.beginResponse().f64(count);
  return 0;
}

/** REMOVEXATTR. */
export function removexattr(volume: VolumeOps, { reader, writer }: ServedChannel): number {
  const isRemoved = volume.removexattr(reader.ino(), reader.path());
  writer.beginResponse();
  return Number(isRemoved);
}
