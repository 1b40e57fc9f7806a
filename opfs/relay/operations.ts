/**
 * Operations: the one table of what a client can ask of its relay by inode.
 *
 * Layer: relay, above `records.ts`. A row has an operation's number, the call of `VolumeOps` that it
 * carries, who serves it, what it changes, what a cache forgets, and the codec of both sides. Client,
 * promises, calls by message, dispatch, cache and counters derive from it; the golden bytes and
 * docs/PROTOCOL.md are compared with it. Operations by path are in `path_operations.ts`.
 *
 * Use: a new call of `VolumeOps` is a row here, after the rows of its kind, under a new number.
 *
 * @module
 */
import type { Attr, AttrChange, DirEntry, StatFs } from "../../abi/attr.ts";
import { requireBytes } from "../../abi/bytes.ts";
import { ErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import type { Appended } from "../../abi/node.ts";
import { fieldsOf, requireList } from "../../abi/options.ts";
import {
  type BlockingLock,
  CREATE_FIELDS,
  type CreateOptions,
  type Found,
  type FoundEntry,
  type Ino,
  type LockRequest,
  type Stored,
  type TmpfileOptions,
  type VolumeOps,
} from "../volume_ops.ts";
import * as compound from "./compound.ts";
import type { Reader, Writer } from "./cursor.ts";
import type { Payload } from "./exchange.ts";
import type { Kept } from "./operation.ts";
import { FLAG_QUIET, transferable, VALUE_BYTES_MAX } from "./protocol.ts";
import * as records from "./records.ts";
import * as serve from "./serve.ts";
import type { ServedChannel } from "./served_channel.ts";

/** Every operation by inode, and control calls from 128, by name, in the order of their numbers. */
export const OPERATIONS = {
  LOOKUP: {
    number: 64,
    call: "lookup",
    part: "volume",
    kind: "answers",
    changes: "nothing",
    ask: (w: Writer, parent: Ino, name: string): void => void w.path(name).ino(parent),
    serve: (v: VolumeOps, c: ServedChannel): number => serve.lookup(v, c),
    take: (r: Reader): Ino => r.ino(),
  },
  CREATE: {
    number: 65,
    call: "create",
    part: "volume",
    kind: "answers",
    changes: "names",
    fails: "whole",
    ask: (w: Writer, parent: Ino, name: string, options: CreateOptions): void =>
      records.writeCreateOptions(w.path(name).ino(parent), options),
    serve: (v: VolumeOps, c: ServedChannel): number => serve.create(v, c),
    take: (r: Reader): Ino => r.ino(),
  },
  LINK: {
    number: 66,
    call: "link",
    part: "volume",
    kind: "answers",
    changes: "names",
    fails: "whole",
    ask: (w: Writer, ino: Ino, parent: Ino, name: string): void =>
      void w.path(name).ino(ino).ino(parent),
    serve: (v: VolumeOps, c: ServedChannel): number =>
      serve.done(c, v.link(c.reader.ino(), c.reader.ino(), c.reader.path())),
    take: (): void => {},
  },
  UNLINK: {
    number: 67,
    call: "unlink",
    part: "volume",
    kind: "answers",
    changes: "names",
    fails: "whole",
    ask: (w: Writer, parent: Ino, name: string): void => void w.path(name).ino(parent),
    serve: (v: VolumeOps, c: ServedChannel): number =>
      serve.done(c, v.unlink(c.reader.ino(), c.reader.path())),
    take: (): void => {},
  },
  RMDIR: {
    number: 68,
    call: "rmdir",
    part: "volume",
    kind: "answers",
    changes: "names",
    fails: "whole",
    ask: (w: Writer, parent: Ino, name: string): void => void w.path(name).ino(parent),
    serve: (v: VolumeOps, c: ServedChannel): number =>
      serve.done(c, v.rmdir(c.reader.ino(), c.reader.path())),
    take: (): void => {},
  },
  RENAME: {
    number: 69,
    call: "rename",
    part: "volume",
    kind: "answers",
    changes: "names",
    fails: "whole",
    ask: (
      w: Writer,
      parent: Ino,
      name: string,
      newParent: Ino,
      newName: string,
      flags: number,
    ): void => void w.path(name).ino(parent).ino(newParent).u32(flags).text(newName),
    serve: (v: VolumeOps, c: ServedChannel): number => serve.rename(v, c),
    take: (): void => {},
  },
  READDIR: {
    number: 70,
    call: "readdir",
    part: "volume",
    kind: "answers",
    changes: "nothing",
    ask: (w: Writer, ino: Ino, after: number): void => void w.ino(ino).f64(after),
    serve: (v: VolumeOps, c: ServedChannel): number => serve.readdir(v, c),
    take: (r: Reader): DirEntry[] => records.readEntries(r),
  },
  READLINK: {
    number: 71,
    call: "readlink",
    part: "volume",
    kind: "answers",
    changes: "nothing",
    ask: (w: Writer, ino: Ino): void => void w.ino(ino),
    serve: (v: VolumeOps, c: ServedChannel): number => serve.readlink(v, c),
    take: (r: Reader): string => r.text(),
  },
  GETATTR: {
    number: 72,
    call: "getattr",
    part: "volume",
    kind: "answers",
    changes: "nothing",
    ask: (w: Writer, ino: Ino): void => void w.ino(ino),
    serve: (v: VolumeOps, c: ServedChannel): number => serve.getattr(v, c),
    take: (r: Reader): Attr => records.readAttr(r),
  },
  SETATTR: {
    number: 73,
    call: "setattr",
    part: "volume",
    kind: "answers",
    changes: "names",
    fails: "halfway",
    ask: (w: Writer, ino: Ino, change: AttrChange): void => records.writeChange(w.ino(ino), change),
    serve: (v: VolumeOps, c: ServedChannel): number =>
      serve.done(c, v.setattr(c.reader.ino(), records.readChange(c.reader))),
    take: (): void => {},
  },
  READ: {
    number: 74,
    call: "read",
    part: "volume",
    kind: "fetches",
    changes: "nothing",
    /** `more` bytes beyond the buffer's may be sent too. */
    ask(
      w: Writer,
      ino: Ino,
      into: Uint8Array,
      at: number,
      isQuiet?: boolean,
      more?: number,
    ): Payload {
      requireBytes(into);
      const piece = transferable(into);
      w.flags(isQuiet ? FLAG_QUIET : 0).ino(ino).f64(at).u32(piece.length + (more ?? 0));
      return { into: piece };
    },
    take: (_: Reader, _payload: Payload, received: number): number => received,
  },
  WRITE: {
    number: 75,
    call: "write",
    part: "volume",
    kind: "sends",
    changes: "bytes",
    fails: "whole",
    forgets(kept: Kept, ino: Ino, from: Uint8Array, at: number): void {
      requireBytes(from);
      // An invalid place is refused by the volume itself.
      if (Number.isSafeInteger(at) && at >= 0) kept.range(ino, at, at + from.length);
    },
    ask(w: Writer, ino: Ino, from: Uint8Array, at: number): Payload {
      requireBytes(from);
      w.ino(ino).f64(at);
      return sending(from);
    },
    take(r: Reader, { fromBytes }: Payload): number {
      invariant(r.status <= fromBytes!, "R3: more is written than was sent");
      return r.status;
    },
  },
  APPEND: {
    number: 76,
    call: "append",
    part: "volume",
    kind: "sends",
    changes: "bytes",
    fails: "whole",
    forgets: (kept: Kept, ino: Ino): void => kept.end(ino),
    ask(w: Writer, ino: Ino, from: Uint8Array): Payload {
      requireBytes(from);
      w.ino(ino);
      return sending(from);
    },
    take(r: Reader, { fromBytes }: Payload): Appended {
      const appended = { at: r.f64(), count: r.u32() };
      invariant(appended.count <= fromBytes!, "R3: more is appended than was sent");
      return appended;
    },
  },
  RETAIN: {
    number: 77,
    call: "retain",
    part: "volume",
    kind: "answers",
    changes: "nothing",
    ask: (w: Writer, ino: Ino): void => void w.ino(ino),
    serve: (v: VolumeOps, c: ServedChannel): number => serve.done(c, c.retain(v, c.reader.ino())),
    take: (): void => {},
  },
  RELEASE: {
    number: 78,
    call: "release",
    part: "volume",
    kind: "answers",
    changes: "nothing",
    ask: (w: Writer, ino: Ino): void => void w.ino(ino),
    serve: (v: VolumeOps, c: ServedChannel): number => serve.done(c, c.release(v, c.reader.ino())),
    take: (): void => {},
  },
  FSYNC: {
    number: 79,
    call: "fsync",
    part: "volume",
    kind: "commits",
    changes: "nothing",
    ask: (w: Writer, ino: Ino): void => void w.ino(ino),
    take: (): void => {},
  },
  SYNC: {
    number: 80,
    call: "sync",
    part: "volume",
    kind: "commits",
    changes: "nothing",
    ask: (): void => {},
    take: (): void => {},
  },
  STATFS: {
    number: 81,
    call: "statfs",
    part: "volume",
    kind: "answers",
    changes: "nothing",
    ask: (): void => {},
    serve: (v: VolumeOps, c: ServedChannel): number => serve.statfs(v, c),
    take: (r: Reader): StatFs => records.readStatFs(r),
  },
  TMPFILE: {
    number: 82,
    call: "tmpfile",
    part: "volume",
    kind: "answers",
    changes: "nothing",
    ask: (w: Writer, parent: Ino, options: TmpfileOptions): void =>
      records.writeTmpfileOptions(w.ino(parent), options),
    serve: (v: VolumeOps, c: ServedChannel): number => serve.tmpfile(v, c),
    take: (r: Reader): Ino => r.ino(),
  },
  SEEK: {
    number: 83,
    call: "seek",
    part: "volume",
    kind: "answers",
    changes: "nothing",
    ask: (w: Writer, ino: Ino, at: number, whence: number): void =>
      void w.ino(ino).f64(at).u32(whence),
    serve: (v: VolumeOps, c: ServedChannel): number => serve.seek(v, c),
    take: (r: Reader): number => r.f64(),
  },
  ALLOCATE: {
    number: 84,
    call: "allocate",
    part: "volume",
    kind: "answers",
    changes: "bytes",
    fails: "halfway",
    forgets: (kept: Kept, ino: Ino): void => kept.file(ino),
    ask: (w: Writer, ino: Ino, mode: number, at: number, length: number): void =>
      void records.writeAllocateMode(w.ino(ino), mode).f64(at).f64(length),
    serve: (v: VolumeOps, c: ServedChannel): number => serve.allocate(v, c),
    take: (): void => {},
  },
  GETXATTR: {
    number: 85,
    call: "getxattr",
    part: "volume",
    kind: "fetches",
    changes: "nothing",
    ask: (w: Writer, ino: Ino, name: string): void =>
      void records.writeAttributeName(w, name).ino(ino),
    take: (r: Reader, { into }: Payload, received: number): Uint8Array<ArrayBuffer> | null =>
      r.status === 0 ? null : (into as Uint8Array<ArrayBuffer>).slice(0, received),
  },
  SETXATTR: {
    number: 86,
    call: "setxattr",
    part: "volume",
    kind: "sends",
    changes: "bytes",
    fails: "whole",
    forgets: (kept: Kept, ino: Ino): void => kept.attributes(ino),
    ask(w: Writer, ino: Ino, name: string, value: Uint8Array, flags: number): Payload {
      requireBytes(value);
      if (value.length > VALUE_BYTES_MAX) {
        throw new ErrnoError("E2BIG", `set an attribute of ${value.length} bytes`);
      }
      records.writeAttributeName(w, name).ino(ino).u32(flags);
      return { from: value };
    },
    take: (): void => {},
  },
  LISTXATTR: {
    number: 87,
    call: "listxattr",
    part: "volume",
    kind: "fetches",
    changes: "nothing",
    ask: (w: Writer, ino: Ino): void => void w.ino(ino),
    take: (_: Reader, { into }: Payload, received: number): string[] =>
      records.unpackNames((into as Uint8Array<ArrayBuffer>).slice(0, received)),
  },
  REMOVEXATTR: {
    number: 88,
    call: "removexattr",
    part: "volume",
    kind: "answers",
    changes: "bytes",
    fails: "whole",
    forgets: (kept: Kept, ino: Ino): void => kept.attributes(ino),
    ask: (w: Writer, ino: Ino, name: string): void =>
      void records.writeAttributeName(w, name).ino(ino),
    serve: (v: VolumeOps, c: ServedChannel): number => serve.removexattr(v, c),
    take: (r: Reader): boolean => r.status !== 0,
  },
  COPY_RANGE: {
    number: 89,
    call: "copyRange",
    part: "volume",
    kind: "answers",
    changes: "bytes",
    fails: "halfway",
    forgets(kept: Kept, source: Ino, _at: number, target: Ino): void {
      kept.accessed(source);
      kept.file(target);
    },
    ask: (w: Writer, source: Ino, at: number, target: Ino, to: number, length: number): void =>
      void w.ino(source).f64(at).ino(target).f64(to).f64(length),
    serve: (v: VolumeOps, c: ServedChannel): number => serve.copyRange(v, c),
    take: (r: Reader): number => r.f64(),
  },
  // Several calls in one round trip.
  LOOKUP_ATTR: {
    number: 96,
    call: "lookupAttr",
    part: "compound",
    kind: "answers",
    changes: "nothing",
    ask: (w: Writer, parent: Ino, name: string): void => void w.path(name).ino(parent),
    serve: (v: VolumeOps, c: ServedChannel): number => compound.lookupAttr(v, c),
    take: (r: Reader): Found | null => compound.readFound(r),
  },
  LOOKUP_RETAIN: {
    number: 97,
    call: "lookupRetain",
    part: "compound",
    kind: "answers",
    changes: "nothing",
    ask: (w: Writer, parent: Ino, name: string): void => void w.path(name).ino(parent),
    serve: (v: VolumeOps, c: ServedChannel): number => compound.lookupRetain(v, c),
    take: (r: Reader): Found | null => compound.readFound(r),
  },
  CREATE_RETAIN: {
    number: 98,
    call: "createRetain",
    part: "compound",
    kind: "answers",
    changes: "names",
    fails: "whole",
    ask: (w: Writer, parent: Ino, name: string, options: CreateOptions): void =>
      records.writeCreateOptions(w.path(name).ino(parent), options),
    serve: (v: VolumeOps, c: ServedChannel): number => compound.createRetain(v, c),
    take: (r: Reader): Found => compound.readFound(r) as Found,
  },
  READDIR_ATTR: {
    number: 99,
    call: "readdirAttr",
    part: "compound",
    kind: "answers",
    changes: "nothing",
    ask: (w: Writer, ino: Ino, after: number): void => void w.ino(ino).f64(after),
    serve: (v: VolumeOps, c: ServedChannel): number => compound.readdirAttr(v, c),
    take: (r: Reader): FoundEntry[] => compound.readFoundEntries(r),
  },
  GETATTRS: {
    number: 100,
    call: "getattrs",
    part: "compound",
    kind: "answers",
    changes: "nothing",
    ask(w: Writer, inos: readonly Ino[]): void {
      requireList(inos);
      for (const ino of inos) w.ino(ino);
    },
    serve: (v: VolumeOps, c: ServedChannel): number => compound.getattrs(v, c),
    take: (r: Reader): (Attr | null)[] => compound.readAttrs(r),
  },
  STORE: {
    number: 101,
    call: "store",
    part: "compound",
    kind: "sends",
    changes: "names",
    fails: "halfway",
    ask(w: Writer, parent: Ino, name: string, options: CreateOptions, from: Uint8Array): Payload {
      requireBytes(from);
      const { mode, uid, gid } = fieldsOf(options, CREATE_FIELDS, "store a file");
      w.path(name).ino(parent).u32(mode).u32(uid).u32(gid);
      return { from: transferable(from) };
    },
    take: (r: Reader): Stored => ({ ino: r.ino(), count: r.status }),
  },
  // Advisory locks.
  LOCK: {
    number: 110,
    call: "lock",
    part: "locks",
    kind: "locks",
    changes: "nothing",
    ask: (w: Writer, ino: Ino, request: LockRequest): void =>
      records.writeLockRequest(w.ino(ino), request),
    take: (): void => {},
  },
  TESTLOCK: {
    number: 111,
    call: "testLock",
    part: "locks",
    kind: "locks",
    changes: "nothing",
    ask: (w: Writer, ino: Ino, request: LockRequest): void =>
      records.writeLockRequest(w.ino(ino), request),
    take: (r: Reader): BlockingLock | null => records.readBlocking(r),
  },
  UNLOCK: {
    number: 112,
    call: "unlock",
    part: "locks",
    kind: "locks",
    changes: "nothing",
    ask: (w: Writer, ino: Ino, owner: number, kind: number): void =>
      void w.ino(ino).u32(kind).u32(owner),
    take: (): void => {},
  },
  METRICS: { number: 128, call: null, part: "relay", kind: "reports", changes: "nothing" },
  STATS: { number: 129, call: null, part: "relay", kind: "reports", changes: "nothing" },
} as const;

/**
 * Bytes to send, as many as one request carries. Their memory may have another owner before the
 * answer.
 */
function sending(bytes: Uint8Array): Payload {
  const from = transferable(bytes);
  return { from, fromBytes: from.length };
}

/** The name of an operation by inode, or of a control call. */
export type OpName = keyof typeof OPERATIONS;
/** The number of each operation. */
export const Op: { readonly [K in OpName]: (typeof OPERATIONS)[K]["number"] } = Object.fromEntries(
  Object.entries(OPERATIONS).map(([name, { number }]) => [name, number]),
) as { readonly [K in OpName]: (typeof OPERATIONS)[K]["number"] };
/** The number of an operation by inode, or of a control call. */
export type OpCode = (typeof Op)[OpName];
