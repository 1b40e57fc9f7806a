/**
 * CachedVolume: attributes, names and clean pages of another volume, kept as long as no other client
 * has changed anything.
 *
 * Layer: opfs, around any `VolumeOps`; `open.ts` puts it around a relay's client. Everything kept
 * stands under one tag: the volume's generation. When it moves without this object's doing, all is
 * forgotten; of its own changes it forgets no more than those. Only clean data is kept.
 *
 * Use: `const cached = new CachedVolume(client)`; it is called like the volume itself.
 *
 * @module
 */
import type { Attr, AttrChange, DirEntry } from "../abi/attr.ts";
import { requireBytes } from "../abi/bytes.ts";
import { isErrnoError } from "../abi/errno.ts";
import { invariant } from "../abi/invariant.ts";
import { requireList } from "../abi/options.ts";
import { InodeCache } from "./cache/inodes.ts";
import { NameCache } from "./cache/names.ts";
import { PageCache } from "./cache/pages.ts";
import type { Kept } from "./relay/operation.ts";
import { OPERATIONS } from "./relay/operations.ts";
import { CALL_ROWS, defineCalls, type ForwardedCall } from "./relay/rows.ts";
import type {
  CompoundOps,
  CreateOptions,
  Found,
  FoundEntry,
  Ino,
  LockOps,
  Stored,
  VolumeOps,
} from "./volume_ops.ts";

/** How much a cache keeps. */
export interface CacheOptions {
  /** Bytes of file data. Default 16 MiB; 0 keeps none. */
  pageBytes?: number;
  /** Inodes and names. Default 65,536. */
  entries?: number;
  /** The time in ms; it decides when a read moves atime. Default `Date.now`. */
  clock?: () => number;
}

/** What a cache was asked, and what it could answer itself. */
export interface CacheMetrics {
  /** Attributes, names and link targets that it had. */
  hits: number;
  /** Those that it had to ask for. */
  misses: number;
  /** Reads that it answered itself. */
  readHits: number;
  /** Times that it forgot everything because another client had changed something. */
  resets: number;
}

const DEFAULT_PAGE_BYTES = 16 * 1024 * 1024;
const DEFAULT_ENTRIES = 65_536;
/** Reads up to this length go through pages; longer ones gain nothing by it. */
const PAGED_READ_BYTES = 64 * 1024;
/** Misses in one directory after which it is read as a whole, in so many pages of entries. */
const MISSES_BEFORE_LISTING = 3;
const LISTING_STEPS = 4;

/** Calls that are written out although they change no names. */
type ByHand = "lookup" | "readdir" | "readlink" | "getattr" | "read" | "write" | "release";

/** The other calls that change no names: handed on, and what their rows say is forgotten first. */
const Forwarding: new () => Pick<VolumeOps, Exclude<ForwardedCall, ByHand>> = class {} as never;

/** A volume that remembers what another one has said. */
export class CachedVolume extends Forwarding implements VolumeOps {
  readonly #inner: VolumeOps;
  readonly #names: NameCache;
  readonly #inodes: InodeCache;
  readonly #pages: PageCache;
  /** What the rows of operations may forget. */
  readonly #kept: Kept = {
    attributes: (ino) => this.#inodes.changed(ino),
    file: (ino) => {
      this.#inodes.changed(ino);
      this.#pages.forget(ino);
    },
    range: (ino, from, to) => {
      this.#inodes.changed(ino);
      this.#pages.forgetRange(ino, from, to);
    },
    end: (ino) => {
      this.#inodes.changed(ino);
      this.#pages.forgetEnd(ino);
    },
    accessed: (ino) => this.#inodes.accessed(ino),
  };
  /** The generation under which everything here was said. */
  #tag: number;
  /** What it was asked. */
  readonly counts: CacheMetrics = { hits: 0, misses: 0, readHits: 0, resets: 0 };
  /** `lookup`, `retain` and `getattr` in one step, where the volume can. */
  readonly lookupRetain?: CompoundOps["lookupRetain"];
  /** `create`, `retain` and `getattr` in one step, where the volume can. */
  readonly createRetain?: CompoundOps["createRetain"];
  /** A directory with attributes. */
  readonly readdirAttr?: CompoundOps["readdirAttr"];
  /** A whole file in one step, where the volume can. */
  readonly store?: CompoundOps["store"];
  readonly onChange?: VolumeOps["onChange"];
  /** Advisory locks, where the volume has them: taken, tested, given back. */
  readonly lock?: LockOps["lock"];
  readonly testLock?: LockOps["testLock"];
  readonly unlock?: LockOps["unlock"];

  static {
    const rows = CALL_ROWS.filter(({ part, changes }) => part === "volume" && changes !== "names");
    defineCalls(Forwarding.prototype, rows, ({ call, forgets }) => {
      return function (this: CachedVolume, ...args: never[]): unknown {
        if (forgets !== undefined) {
          this.#revalidate();
          forgets(this.#kept, ...args);
        }
        return (this.#inner[call] as (...args: never[]) => unknown)(...args);
      };
    });
  }

  /** A cache of `inner`. No other client may change the volume without its generation telling. */
  constructor(inner: VolumeOps, options: CacheOptions = {}) {
    super();
    this.#inner = inner;
    const { entries = DEFAULT_ENTRIES, clock = Date.now } = options;
    this.#names = new NameCache(entries);
    this.#inodes = new InodeCache({ entries, clock });
    this.#pages = new PageCache(options.pageBytes ?? DEFAULT_PAGE_BYTES);
    this.#tag = inner.generation;
    if (inner.lookupRetain !== undefined) this.lookupRetain = this.#lookupRetain;
    if (inner.createRetain !== undefined) this.createRetain = this.#createRetain;
    if (inner.readdirAttr !== undefined) this.readdirAttr = this.#readdirAttr;
    if (inner.store !== undefined) this.store = this.#store;
    this.onChange = inner.onChange?.bind(inner);
    this.lock = inner.lock?.bind(inner);
    this.testLock = inner.testLock?.bind(inner);
    this.unlock = inner.unlock?.bind(inner);
  }

  /** The root directory. */
  get root(): Ino {
    return this.#inner.root;
  }

  /** The volume's own. */
  get generation(): number {
    return this.#inner.generation;
  }

  /** The named entry of a directory, or 0. */
  lookup(parent: Ino, name: string): Ino {
    this.#revalidate();
    const known = this.#names.get(parent, name);
    if (known !== undefined) return this.#hit(known);
    if (this.#inner.lookupAttr !== undefined) return this.#find(parent, name)?.ino ?? 0;
    this.counts.misses++;
    const ino = this.#inner.lookup(parent, name);
    this.#names.set(parent, name, ino);
    return ino;
  }

  /** The named entry with its attributes, or null. */
  lookupAttr(parent: Ino, name: string): Found | null {
    this.#revalidate();
    const ino = this.#names.get(parent, name);
    if (ino === 0) return this.#hit(null);
    const attr = ino === undefined ? undefined : this.#inodes.get(ino);
    if (attr !== undefined) return this.#hit({ ino: ino as Ino, attr: { ...attr } });
    if (this.#inner.lookupAttr !== undefined) return this.#find(parent, name);
    const found = ino ?? this.lookup(parent, name);
    return found === 0 ? null : { ino: found, attr: this.getattr(found) };
  }

  /** Attributes of many inodes; null for one that is gone. */
  getattrs(inos: readonly Ino[]): (Attr | null)[] {
    requireList(inos);
    this.#revalidate();
    const missing = inos.filter((ino) => !this.#inodes.has(ino));
    const asked = this.#inner.getattrs?.(missing) ?? missing.map((ino) => this.#attrOrNull(ino));
    const answers = new Map(missing.map((ino, index) => [ino, asked[index] ?? null]));
    this.counts.hits += inos.length - missing.length;
    this.counts.misses += missing.length;
    return inos.map((ino) => {
      const attr = answers.has(ino) ? answers.get(ino) ?? null : this.#inodes.get(ino) ?? null;
      return attr === null ? null : this.#inodes.keep(ino, attr);
    });
  }

  /** Makes a file, directory, link or special file. */
  create(parent: Ino, name: string, options: CreateOptions): Ino {
    const before = this.#revalidate();
    const ino = this.#inner.create(parent, name, options);
    this.#made(before, parent, name, ino);
    return ino;
  }

  /** Adds a name. */
  link(ino: Ino, parent: Ino, name: string): void {
    const before = this.#revalidate();
    this.#inner.link(ino, parent, name);
    this.#inodes.changed(ino);
    this.#made(before, parent, name, ino);
  }

  /** Removes a name. */
  unlink(parent: Ino, name: string): void {
    const before = this.#revalidate();
    this.#inner.unlink(parent, name);
    this.#removed(before, parent, name);
  }

  /** Removes an empty directory. */
  rmdir(parent: Ino, name: string): void {
    const before = this.#revalidate();
    this.#inner.rmdir(parent, name);
    this.#removed(before, parent, name);
  }

  /** Moves a name in one step, replacing what is there. */
  rename(parent: Ino, name: string, newParent: Ino, newName: string, flags: number): void {
    const before = this.#revalidate();
    this.#inner.rename(parent, name, newParent, newName, flags);
    if (!this.#ended(before)) return;
    const moved = this.#names.move({ parent, name, newParent, newName, flags });
    if (moved === null) return this.#forgetAll();
    for (const ino of moved.changed) this.#inodes.changed(ino);
    this.#forgetInode(moved.lost);
  }

  /** Entries after cursor `after`; none at the end. */
  readdir(ino: Ino, after: number): DirEntry[] {
    this.#revalidate();
    const known = this.#names.listing(ino, after);
    if (known !== undefined && !this.#mustBeSeen(ino)) return known;
    const entries = this.#inner.readdir(ino, after);
    this.#inodes.accessed(ino);
    this.#names.keepListing(ino, after, entries);
    return entries;
  }

  /** What a symbolic link points to. A link never changes its target. */
  readlink(ino: Ino): string {
    this.#revalidate();
    const known = this.#inodes.target(ino);
    if (known !== undefined && !this.#inodes.movesAccess(ino)) return this.#hit(known);
    this.counts.misses++;
    const target = this.#inner.readlink(ino);
    this.#inodes.accessed(ino);
    this.#inodes.keepTarget(ino, target);
    return target;
  }

  /** Attributes, as a fresh object. */
  getattr(ino: Ino): Attr {
    this.#revalidate();
    const known = this.#inodes.get(ino);
    if (known !== undefined) return this.#hit({ ...known });
    this.counts.misses++;
    return this.#inodes.keep(ino, this.#inner.getattr(ino));
  }

  /** Changes what `change` has in one step. */
  setattr(ino: Ino, change: AttrChange): void {
    const before = this.#revalidate();
    this.#inner.setattr(ino, change);
    if (!this.#ended(before)) return;
    this.#inodes.changed(ino);
    if (change.mode !== undefined) this.#names.forgetListings();
    if (change.size !== undefined) this.#pages.forget(ino);
  }

  /** Bytes read at byte `at`; 0 at the end. `isQuiet` leaves atime alone. */
  read(ino: Ino, into: Uint8Array, at: number, isQuiet = false): number {
    requireBytes(into);
    this.#revalidate();
    if (!this.#isPaged(into.length, at) || (!isQuiet && this.#mustBeSeen(ino))) {
      const count = this.#inner.read(ino, into, at, isQuiet);
      if (!isQuiet) this.#inodes.accessed(ino);
      return count;
    }
    const count = this.#pages.read(ino, into, at);
    if (count < 0) return this.#fill(ino, into, at, isQuiet);
    this.counts.readHits++;
    return count;
  }

  #isPaged(length: number, at: number): boolean {
    const isSmall = length > 0 && length <= PAGED_READ_BYTES;
    return isSmall && this.#pages.isUsed && Number.isSafeInteger(at) && at >= 0;
  }

  /** Whether a read moves atime, so that the volume must see it. Unknown attributes are asked for. */
  #mustBeSeen(ino: Ino): boolean {
    if (!this.#inodes.has(ino)) this.getattr(ino);
    return this.#inodes.movesAccess(ino);
  }

  /** Pages that were read under two generations are no one read: then it is made again as one. */
  #fill(ino: Ino, into: Uint8Array, at: number, isQuiet: boolean): number {
    const count = this.#pages.fill(this.#inner, ino, into, at, isQuiet);
    return this.#inner.generation === this.#tag ? count : this.#inner.read(ino, into, at, isQuiet);
  }

  /** Bytes written at byte `at`: they are the volume's when this returns. */
  write(ino: Ino, from: Uint8Array, at: number): number {
    this.#revalidate();
    OPERATIONS.WRITE.forgets(this.#kept, ino, from, at);
    return this.#inner.write(ino, from, at);
  }

  /** Takes one `retain` back. The inode may go with it. */
  release(ino: Ino): void {
    this.#revalidate();
    if (this.#inodes.get(ino)?.nlink !== 0 && this.#inodes.has(ino)) {
      return this.#inner.release(ino);
    }
    this.#forgetInode(ino);
    this.#inner.release(ino);
  }

  /** Makes everything durable and lets the volume go. */
  close(): void {
    this.#inner.close();
  }

  readonly #lookupRetain = (parent: Ino, name: string): Found | null => {
    this.#revalidate();
    const found = this.#inner.lookupRetain!(parent, name);
    return this.#remember(parent, name, found);
  };

  readonly #createRetain = (parent: Ino, name: string, options: CreateOptions): Found => {
    const before = this.#revalidate();
    const found = this.#inner.createRetain!(parent, name, options);
    if (this.#made(before, parent, name, found.ino)) this.#inodes.keep(found.ino, found.attr);
    return found;
  };

  readonly #readdirAttr = (ino: Ino, after: number): FoundEntry[] => {
    this.#revalidate();
    const entries = this.#inner.readdirAttr!(ino, after);
    for (const { name, ino: found, attr } of entries) {
      this.#remember(ino, name, { ino: found, attr });
    }
    this.#inodes.accessed(ino);
    return entries;
  };

  readonly #store = (
    parent: Ino,
    name: string,
    options: CreateOptions,
    from: Uint8Array,
  ): Stored => {
    const before = this.#revalidate();
    // Forgotten first: a call that fails may have cut the file.
    this.#inodes.clearAttributes();
    this.#pages.clear();
    const stored = this.#inner.store!(parent, name, options, from);
    this.#made(before, parent, name, stored.ino);
    return stored;
  };

  /** Asks for a name with its attributes; after some misses, for the whole directory. */
  #find(parent: Ino, name: string): Found | null {
    this.counts.misses++;
    const misses = this.#names.missed(parent);
    if (misses === MISSES_BEFORE_LISTING && this.#list(parent)) {
      const ino = this.#names.get(parent, name);
      if (ino === 0) return null;
      const attr = ino === undefined ? undefined : this.#inodes.get(ino);
      if (attr !== undefined) return { ino: ino as Ino, attr: { ...attr } };
    }
    return this.#remember(parent, name, this.#inner.lookupAttr!(parent, name));
  }

  /** Reads a directory as a whole, if it is not too large. */
  #list(parent: Ino): boolean {
    if (this.#inner.readdirAttr === undefined) return false;
    let after = 0;
    for (let step = 0; step < LISTING_STEPS; step++) {
      const entries = this.#readdirAttr(parent, after);
      const last = entries.at(-1);
      if (last === undefined) {
        this.#names.setWhole(parent);
        return true;
      }
      after = last.cursor;
    }
    return false;
  }

  #remember(parent: Ino, name: string, found: Found | null): Found | null {
    this.#names.set(parent, name, found?.ino ?? 0);
    if (found !== null) this.#inodes.keep(found.ino, found.attr);
    return found;
  }

  #attrOrNull(ino: Ino): Attr | null {
    try {
      return this.#inner.getattr(ino);
    } catch (error) {
      if (isErrnoError(error) && error.code === "ESTALE") return null;
      throw error;
    }
  }

  #hit<T>(answer: T): T {
    this.counts.hits++;
    return answer;
  }

  /** Forgets everything if another client has changed something since. */
  #revalidate(): number {
    const generation = this.#inner.generation;
    if (generation !== this.#tag) this.#reset(generation);
    return generation;
  }

  #reset(generation: number): void {
    this.#tag = generation;
    this.counts.resets++;
    this.#forgetAll();
  }

  /** After a change of our own: whether no other client has changed anything. */
  #ended(before: number): boolean {
    const after = this.#inner.generation;
    invariant(after !== before, "R8: a change is not counted");
    const isOwn = after === before + 1;
    if (isOwn) this.#tag = after;
    else this.#reset(after);
    return isOwn;
  }

  #made(before: number, parent: Ino, name: string, ino: Ino): boolean {
    if (!this.#ended(before)) return false;
    this.#names.change(parent, name, ino);
    this.#inodes.changed(parent);
    return true;
  }

  #removed(before: number, parent: Ino, name: string): void {
    if (!this.#ended(before)) return;
    const ino = this.#names.get(parent, name);
    this.#names.change(parent, name, 0);
    this.#inodes.changed(parent);
    if (ino !== undefined && ino !== 0) return this.#forgetInode(ino);
    // One of the inodes known here has lost a name, or a directory is gone: it is not known which.
    this.#forgetAll();
  }

  #forgetAll(): void {
    this.#names.clear();
    this.#inodes.clear();
    this.#pages.clear();
  }

  #forgetInode(ino: Ino): void {
    this.#inodes.forget(ino);
    this.#pages.forget(ino);
    this.#names.forgetDirectory(ino);
  }
}
