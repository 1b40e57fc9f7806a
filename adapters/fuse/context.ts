/**
 * What every handler of requests works with: the volume, what the kernel knows of it, who asks.
 *
 * Layer: adapters/fuse. `server.ts` makes one; `names.ts`, `files.ts`, `attributes.ts` and
 * `directories.ts` are functions over it.
 *
 * @module
 */
import {
  type Attr,
  type Credentials,
  type DirEntry,
  ErrnoError,
  type Ino,
  type Owner,
  type VolumeOps,
} from "../../mod.ts";
import { KnownInodes } from "./inodes.ts";
import { OwnerMap } from "./owner_map.ts";
import type { Entry } from "./reply.ts";
import type { Request } from "./request.ts";

/** How a volume is served. */
export interface ServeOptions {
  /** How long the kernel may believe names and attributes, in ms. Default 1,000. */
  attrTimeoutMs?: number;
  /** The time in ms. Default `Date.now`. */
  clock?: () => number;
  /** Supplementary groups of a process. Default: none. */
  groupsOf?: (pid: number) => readonly number[];
  /** To whom the volume's root is shown as who: see {@link OwnerMap}. Default 0:0. */
  rootIs?: Owner;
  /**
   * Hears of failures that a program's error number does not explain: EIO, and what is no ErrnoError, a
   * mistake of ours. Default: console.error.
   */
  report?: (error: unknown) => void;
}

/** The state of a server. */
export class Context {
  /** What is served. */
  readonly volume: VolumeOps;
  /** What the kernel knows. */
  readonly inodes: KnownInodes;
  /** How long the kernel may believe an answer, in ms. */
  readonly validMs: number;
  /** The time in ms. */
  readonly clock: () => number;
  /** Hears of what an error number does not explain. */
  readonly report: (error: unknown) => void;
  /** Whose files they are. */
  readonly owners: OwnerMap;
  /** Preferred size of a read or write. */
  readonly blockSize: number;
  /** Whether the kernel says which write is unprivileged; else only root is taken to be. */
  saysWhoIsPrivileged = false;
  /** Whether something may not be durable yet. */
  isDirty = false;
  /** A piece of the directory that was read last. */
  readonly listing: Listing = { ino: 0, generation: -1, offset: 0, entries: [], index: 0 };
  readonly #caller: Caller;

  /** Serves a volume. */
  constructor(volume: VolumeOps, options: ServeOptions) {
    this.volume = volume;
    this.inodes = new KnownInodes(volume);
    this.validMs = options.attrTimeoutMs ?? 1000;
    this.clock = options.clock ?? Date.now;
    this.report = options.report ?? ((error) => console.error(error));
    this.blockSize = volume.statfs().blockSize;
    this.owners = new OwnerMap(options.rootIs ?? { uid: 0, gid: 0 });
    this.#caller = new Caller(this.owners, options.groupsOf ?? (() => []));
  }

  /** Who asks, valid until the next call. */
  callerOf(request: Request, umask: number): Credentials {
    return this.#caller.set(request, umask);
  }

  /** Records that the kernel knows an inode now, by a name in `parent`; 0 if that is unknown. */
  registerEntry(ino: Ino, parent: Ino): Entry {
    const attr = this.volume.getattr(ino);
    this.inodes.remember(ino, { mode: attr.mode, parent });
    return this.entryOf(ino, attr);
  }

  /** The entry of an inode that the kernel knows already; changes `attr` to what the kernel may see. */
  entryOf(ino: Ino, attr: Attr): Entry {
    this.owners.turn(attr);
    return { nodeId: ino, attr, validMs: this.validMs, blockSize: this.blockSize };
  }
}

/** Entries of one directory from one call of `readdir`, and where the kernel is in them. */
export interface Listing {
  /** The directory; 0 for none. */
  ino: Ino;
  /** The volume's generation when it was read. */
  generation: number;
  /** The offset that the kernel goes on from. */
  offset: number;
  /** What came. */
  entries: readonly DirEntry[];
  /** The next of them. */
  index: number;
}

/** The caller of a request, as the volume knows owners. Its groups are looked up only when a rule asks for them. */
class Caller implements Credentials {
  uid = 0;
  gid = 0;
  umask = 0;
  #pid = 0;
  readonly #owners: OwnerMap;
  readonly #groupsOf: (pid: number) => readonly number[];

  constructor(owners: OwnerMap, groupsOf: (pid: number) => readonly number[]) {
    this.#owners = owners;
    this.#groupsOf = groupsOf;
  }

  set(request: Request, umask: number): this {
    this.uid = this.#owners.uid(request.uid);
    this.gid = this.#owners.gid(request.gid);
    this.umask = umask;
    this.#pid = request.pid;
    return this;
  }

  get groups(): readonly number[] {
    return this.#groupsOf(this.#pid).map((gid) => this.#owners.gid(gid));
  }
}

/** A size or position that is not exact in a double is past every limit of ours. */
export function requirePosition(position: number, action: string): void {
  if (!Number.isSafeInteger(position)) throw new ErrnoError("EFBIG", `${action} at ${position}`);
}
