/**
 * READDIR and READDIRPLUS: a directory in pieces as large as the kernel asks for.
 *
 * Layer: adapters/fuse. The kernel goes on at the offset of the last entry it got. "." and ".." are
 * entries 1 and 2; a cursor of the volume is its offset plus 2, and stays valid while the directory
 * changes. What one call of the volume gave is kept for the next piece, as long as nothing changes.
 *
 * @module
 */
import { type DirEntry, type Ino, S_IFDIR, shownIno } from "../../mod.ts";
import type { Context, Listing } from "./context.ts";
import { ENTRY_OUT, MAX_WRITE_BYTES, READ_IN } from "./protocol.ts";
import type { Reply } from "./reply.ts";
import type { Request } from "./request.ts";

const SELF_OFFSET = 1;
const PARENT_OFFSET = 2;

/** READDIR. */
export function readdir(context: Context, request: Request, reply: Reply): void {
  list(context, request, { reply, plus: false });
}

/** READDIRPLUS: each entry with its inode, which counts as looked up. */
export function readdirplus(context: Context, request: Request, reply: Reply): void {
  list(context, request, { reply, plus: true });
}

interface Answer {
  reply: Reply;
  plus: boolean;
}

function list(context: Context, request: Request, { reply, plus }: Answer): void {
  const limit = Math.min(request.u32(READ_IN.SIZE), MAX_WRITE_BYTES);
  const head = plus ? ENTRY_OUT.BYTES : 0;
  const directory = request.nodeId;
  let offset = request.u64(READ_IN.OFFSET);
  let used = 0;
  for (;;) {
    const entry = entryAfter(context, directory, offset);
    if (entry === null) break;
    const next = reply.dirent(used + head, entry, limit);
    if (next < 0) break;
    if (plus) putInode(context, directory, { reply, at: used, entry });
    used = next;
    offset = entry.cursor;
    if (offset > PARENT_OFFSET) advance(context.listing, offset);
  }
  reply.end(used);
}

/** The entry after an offset, its cursor an offset too; null at the end. */
function entryAfter(context: Context, directory: Ino, offset: number): DirEntry | null {
  if (offset < SELF_OFFSET) return dots(directory, ".", SELF_OFFSET);
  if (offset < PARENT_OFFSET) {
    return dots(context.inodes.parentOf(directory), "..", PARENT_OFFSET);
  }
  const { listing } = context;
  const isThere = continues(context, directory, offset);
  const isUsedUp = listing.index > 0 && listing.index === listing.entries.length;
  if (!isThere || isUsedUp) readOn(context, directory, offset);
  const entry = listing.entries[listing.index];
  return entry === undefined ? null : { ...entry, cursor: entry.cursor + PARENT_OFFSET };
}

function dots(ino: Ino, name: string, cursor: number): DirEntry {
  return { ino: shownIno(ino), mode: S_IFDIR, name, cursor };
}

/** Whether what was kept goes on right after `offset`. */
function continues({ listing, volume }: Context, directory: Ino, offset: number): boolean {
  return listing.ino === directory && listing.offset === offset &&
    listing.generation === volume.generation;
}

function readOn({ listing, volume }: Context, directory: Ino, offset: number): void {
  listing.entries = volume.readdir(directory, offset - PARENT_OFFSET);
  listing.ino = directory;
  listing.generation = volume.generation;
  listing.offset = offset;
  listing.index = 0;
}

function advance(listing: Listing, offset: number): void {
  listing.offset = offset;
  listing.index++;
}

interface EntryPlace {
  reply: Reply;
  at: number;
  entry: DirEntry;
}

/** The inode in front of an entry; none for the dots, which the kernel knows. */
function putInode(context: Context, directory: Ino, { reply, at, entry }: EntryPlace): void {
  const ino = entry.cursor <= PARENT_OFFSET ? 0 : context.volume.lookup(directory, entry.name);
  if (ino === 0) reply.clear(at, ENTRY_OUT.BYTES);
  else reply.entryAt(at, context.registerEntry(ino, directory));
}
