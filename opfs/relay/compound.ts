/**
 * Compound requests: several calls of VolumeOps in one round trip, on both sides of the channel.
 *
 * Layer: relay, below `operations.ts`, whose rows call this: what the relay does for these
 * requests, and how a client reads their answers. The relay serves one request after the other, so
 * nothing happens between the calls of a compound request: an inode that LOOKUP_RETAIN finds cannot
 * be freed before it is retained.
 *
 * @module
 */
import type { Attr } from "../../abi/attr.ts";
import { ErrnoError, isErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import type { Found, FoundEntry, Ino, VolumeOps } from "../volume_ops.ts";
import type { Reader } from "./cursor.ts";
import { REQUEST_BYTES } from "./protocol.ts";
import {
  ENTRY_BYTES,
  MAX_NAME_BYTES,
  readAttr,
  readCreateOptions,
  writeAttr,
  writeEntry,
} from "./records.ts";
import type { ServedChannel } from "./served_channel.ts";

const INO_BYTES = 8;
const ATTR_BYTES = 64;
const FOUND_ENTRY_BYTES = ENTRY_BYTES + MAX_NAME_BYTES + INO_BYTES + ATTR_BYTES;

/** How many inodes one GETATTRS may ask for, so that request and answer fit into the area. */
export function attrsThatFit(areaBytes: number): number {
  return Math.floor((areaBytes - REQUEST_BYTES) / (4 + ATTR_BYTES));
}

/** What LOOKUP_ATTR, LOOKUP_RETAIN and CREATE_RETAIN answer: nothing at all, or the inode. */
export function readFound(reader: Reader): Found | null {
  if (reader.dataBytes === 0) return null;
  return { ino: reader.ino(), attr: readAttr(reader) };
}

/** What READDIR_ATTR answers. */
export function readFoundEntries(reader: Reader): FoundEntry[] {
  const entries: FoundEntry[] = [];
  for (let left = reader.status; left > 0; left--) {
    reader.u32();
    const mode = reader.u32();
    const cursor = reader.f64();
    const name = reader.shortText();
    entries.push({ ino: reader.ino(), mode, name, cursor, attr: readAttr(reader) });
  }
  return entries;
}

/** What GETATTRS answers: attributes, or null for an inode that is gone. */
export function readAttrs(reader: Reader): (Attr | null)[] {
  return Array.from({ length: reader.status }, () => {
    return reader.u32() === 0 ? null : readAttr(reader);
  });
}

/** LOOKUP_ATTR. */
export function lookupAttr(volume: VolumeOps, channel: ServedChannel): 0 {
  return find(volume, channel, false);
}

/** LOOKUP_RETAIN. */
export function lookupRetain(volume: VolumeOps, channel: ServedChannel): 0 {
  return find(volume, channel, true);
}

function find(volume: VolumeOps, channel: ServedChannel, isRetained: boolean): 0 {
  const { reader, writer } = channel;
  const ino = volume.lookup(reader.ino(), reader.path());
  if (ino === 0) {
    writer.beginResponse();
    return 0;
  }
  const attr = volume.getattr(ino);
  invariant(attr.nlink > 0, "R6: a name leads to an inode without names");
  if (isRetained) channel.retain(volume, ino);
  writeAttr(writer.beginResponse().ino(ino), attr);
  return 0;
}

/** CREATE_RETAIN. */
export function createRetain(volume: VolumeOps, channel: ServedChannel): 0 {
  const { reader, writer } = channel;
  const parent = reader.ino();
  const ino = volume.create(parent, reader.path(), readCreateOptions(reader));
  channel.retain(volume, ino);
  writeAttr(writer.beginResponse().ino(ino), volume.getattr(ino));
  return 0;
}

/**
 * READDIR_ATTR: as many entries as fit; no entry can be removed in between, as the relay does one
 * thing at a time.
 */
export function readdirAttr(volume: VolumeOps, { reader, writer, memory }: ServedChannel): number {
  const directory = reader.ino();
  const after = reader.f64();
  const entries = volume.readdir(directory, after);
  invariant(entries.every(({ cursor }) => cursor > after), "R6: a listing goes back");
  writer.beginResponse();
  let count = 0;
  for (const entry of entries) {
    if (writer.at + FOUND_ENTRY_BYTES > memory.area.length) break;
    const ino = volume.lookup(directory, entry.name);
    invariant(ino !== 0, "R6: a name that is listed is not there");
    writeEntry(writer, entry);
    writeAttr(writer.ino(ino), volume.getattr(ino));
    count += 1;
  }
  return count;
}

/** GETATTRS: the inodes are read before the answer is written over them. */
export function getattrs(volume: VolumeOps, { reader, writer, memory }: ServedChannel): number {
  const inos: Ino[] = [];
  while (reader.at < reader.end) inos.push(reader.ino());
  if (inos.length > attrsThatFit(memory.area.length)) {
    throw new ErrnoError("EMSGSIZE", `send attributes of ${inos.length} inodes at once`);
  }
  writer.beginResponse();
  for (const ino of inos) {
    const attr = attrOrNull(volume, ino);
    writer.u32(attr === null ? 0 : 1);
    if (attr !== null) writeAttr(writer, attr);
  }
  return inos.length;
}

function attrOrNull(volume: VolumeOps, ino: Ino): Attr | null {
  try {
    return volume.getattr(ino);
  } catch (error) {
    if (isErrnoError(error) && error.code === "ESTALE") return null;
    throw error;
  }
}
