/**
 * Copies files and directories from one tree to another, with everything that both can hold: modes,
 * owners, times, symbolic and hard links, holes, extended attributes, special files.
 *
 * Layer: cli. The trees are those of `tree_ops.ts`. A file gets its name when it is whole. What cannot
 * be read, or cannot be made there, is left out and becomes a finding; a target that fails ends the
 * copy. Use:
 *
 *     const copy = new TreeCopy({ from, to });
 *     yield* copy.run({ entry, directory, name, fromText, toText });
 *     copy.report();
 *
 * @module
 */
import {
  type Attr,
  codeOfHost,
  type ErrnoCode,
  ErrnoError,
  isDir,
  isErrnoError,
  isFile,
  isLink,
  S_IFMT,
} from "../../mod.ts";
import {
  Findings,
  type Severity,
  type TransferCounts,
  type TransferReport,
} from "../../opfs/mod.ts";
import { freeName } from "../shared/place.ts";
import { noCounts, reportOf } from "../shared/counts.ts";
import type { Tally } from "../shared/steps.ts";
import type { Contents, Entry, NewContents, SourceTree, Tree, Xattr } from "./tree_ops.ts";
import { at, messageOf, PlaceError } from "../shared/verb.ts";

/** From where to where, and how. */
export interface CopyEnds<S, T> {
  /** What is copied. */
  from: SourceTree<S>;
  /** Where it goes. */
  to: Tree<T>;
  /** Whether what is there already stays as it is. Default false. */
  keepsExisting?: boolean;
  /** Why an entry is to be left out; null if it is not. */
  leaveOut?: (key: string) => string | null;
  /** Why what is there must not be replaced; null if it may. */
  spares?: (key: string) => string | null;
}

/** One thing to copy. */
export interface CopyJob<S, T> {
  /** What is copied. */
  entry: Entry<S>;
  /** The directory that gets it. */
  directory: T;
  /** Its name there; null: it is a directory, and `directory` gets what is in it. */
  name: string | null;
  /** What messages call the source. */
  fromText: string;
  /** What messages call the copy. */
  toText: string;
}

/** A directory whose contents are being copied. */
interface Frame<S, T> extends CopyJob<S, T> {
  /** Its copy. */
  node: T;
  /** What is still to be copied, from the last to the first. */
  names: string[];
}

const PIECE_BYTES = 1024 * 1024;

/** A copy that is going on. */
export class TreeCopy<S, T> {
  readonly #ends: CopyEnds<S, T>;
  readonly #findings = new Findings();
  readonly #counts: TransferCounts = noCounts();
  /** Copies of what has more names, by the source's key. */
  readonly #copies = new Map<string, T>();
  /** How often something could not be given, by what it was. */
  readonly #lacks = new Map<string, number>();
  readonly #buffer = new Uint8Array(PIECE_BYTES);

  /** A copy between these ends; nothing happens yet. */
  constructor(ends: CopyEnds<S, T>) {
    this.#ends = ends;
  }

  /** Copies one thing with all that is in it. */
  *run(job: CopyJob<S, T>): Generator<Tally, void, void> {
    const stack: Frame<S, T>[] = [];
    yield* this.#copy(job, stack);
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const name = frame.names.pop();
      if (name === undefined) {
        this.#applyAttributes(frame, frame.node);
        stack.pop();
        continue;
      }
      const below = this.#below(frame, name);
      if (below !== null) yield* this.#copyOrReport(below, stack);
      yield this.#tally();
    }
  }

  /** What has been copied, and what is to be known about it. */
  report(): TransferReport {
    for (const [lack, count] of this.#lacks) {
      if (count > 1) this.#addFinding("note", "lacks", `${lack}: ${count} times in all`);
    }
    this.#lacks.clear();
    return reportOf(this.#counts, this.#findings);
  }

  #tally(): Tally {
    const { files, directories, symlinks, special, hardLinks, bytes } = this.#counts;
    return { doneEntries: files + directories + symlinks + special + hardLinks, doneBytes: bytes };
  }

  #below(frame: Frame<S, T>, name: string): CopyJob<S, T> | null {
    const fromText = joined(frame.fromText, name);
    const entry = this.#read(fromText, () => {
      const found = this.#ends.from.look(frame.entry.node, name);
      if (found !== null) return found;
      const why = name.includes("\ufffd") ? "its name is not UTF-8" : "it is gone";
      throw new ErrnoError("ENOENT", "copy it", { why });
    });
    if (entry === null) return null;
    return { entry, directory: frame.node, name, fromText, toText: joined(frame.toText, name) };
  }

  /** What the target cannot have, however much room it has, is left out, and said. */
  *#copyOrReport(job: CopyJob<S, T>, stack: Frame<S, T>[]): Generator<Tally, void, void> {
    const { bytes } = this.#counts;
    try {
      yield* this.#copy(job, stack);
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (!(error instanceof PlaceError) || !isUnstorable(cause)) throw error;
      this.#counts.bytes = bytes;
      this.#addFinding("lost", "unstorable", messageOf(cause), job.toText);
    }
  }

  *#copy(job: CopyJob<S, T>, stack: Frame<S, T>[]): Generator<Tally, void, void> {
    const { entry, name } = job;
    const why = this.#ends.leaveOut?.(entry.key) ?? null;
    if (why !== null) return this.#addFinding("note", "left-out", why, job.fromText);
    if (name === null) return this.#enter(job, job.directory, stack);
    const { to } = this.#ends;
    const existing = at(job.toText, () => to.look(job.directory, name));
    if (existing !== null && this.#isSettled(job, existing)) return;
    const { mode, nlink } = entry.attr;
    if (isDir(mode)) {
      const make = (): T => to.makeDirectory(job.directory, name, entry.attr);
      return this.#enter(job, existing?.node ?? at(job.toText, make), stack);
    }
    const copied = nlink > 1 ? this.#copies.get(entry.key) : undefined;
    if (copied !== undefined) return this.#link(job, name, { copied, existing });
    const made = isFile(mode)
      ? yield* this.#file(job, name)
      : this.#other(job, name, existing !== null);
    if (made !== null && nlink > 1) this.#copies.set(entry.key, made);
  }

  /** Whether what is there stays. Throws if it can neither stay nor be replaced. */
  #isSettled({ entry, toText }: CopyJob<S, T>, existing: Entry<T>): boolean {
    const { from, to, keepsExisting = false } = this.#ends;
    const isDirectory = isDir(entry.attr.mode);
    const refuse = (code: ErrnoCode, action: string): never => {
      throw new PlaceError(toText, new ErrnoError(code, action));
    };
    if (from as unknown === to && existing.key === entry.key) refuse("EINVAL", "copy it to itself");
    if (isDirectory && isDir(existing.attr.mode)) return false;
    if (keepsExisting) return true;
    if (isDirectory) refuse("ENOTDIR", "copy a directory here");
    if (isDir(existing.attr.mode)) refuse("EISDIR", "replace a directory by a file");
    if (isOtherSpecial(existing.attr, entry.attr)) {
      refuse("EEXIST", "replace it: it is neither a file nor a link");
    }
    const why = this.#ends.spares?.(existing.key) ?? null;
    if (why !== null) refuse("EBUSY", `replace it: ${why}`);
    return false;
  }

  #enter(job: CopyJob<S, T>, node: T, stack: Frame<S, T>[]): void {
    const names = this.#read(job.fromText, () => this.#ends.from.names(job.entry.node)) ?? [];
    this.#counts.directories++;
    stack.push({ ...job, node, names: names.reverse() });
  }

  /** One more name for what has been copied already. */
  #link(
    job: CopyJob<S, T>,
    name: string,
    { copied, existing }: { copied: T; existing: Entry<T> | null },
  ): void {
    if (existing?.node === copied) return;
    const { to } = this.#ends;
    this.#place(job, name, existing !== null, (free) => to.link(copied, job.directory, free));
    this.#counts.hardLinks++;
  }

  *#file(job: CopyJob<S, T>, name: string): Generator<Tally, T | null, void> {
    const { entry, fromText, toText, directory } = job;
    const source = this.#read(fromText, () => this.#ends.from.open(entry));
    if (source === null) return null;
    try {
      const target = at(toText, () => this.#ends.to.begin(directory, name));
      try {
        if (!(yield* this.#contents(job, source, target))) return null;
        const xattrs = this.#xattrs(job);
        const { node, lacks } = at(toText, () => target.keep(entry.attr, xattrs));
        this.#reportLacks(lacks, toText);
        this.#counts.files++;
        return node;
      } finally {
        target.close();
      }
    } finally {
      source.close();
    }
  }

  /** Whether all of it could be read. */
  *#contents(
    { entry, fromText, toText }: CopyJob<S, T>,
    source: Contents,
    target: NewContents<T>,
  ): Generator<Tally, boolean, void> {
    let end = 0;
    for (let done = 0;;) {
      const start = this.#read(fromText, () => source.dataAt(done));
      if (start === null) return false;
      end = Math.max(done, entry.attr.size);
      if (start < 0) break;
      const stop = source.holeAt(start);
      for (done = start; done < stop;) {
        const length = this.#piece({ fromText, toText }, { source, target, done, stop });
        if (length === null) return false;
        if (length === 0) break;
        done += length;
        this.#counts.bytes += length;
        yield this.#tally();
      }
      if (done < stop) {
        end = done; // Shorter than its size said, or longer, as those of /proc are.
        break;
      }
    }
    at(toText, () => target.resize(end));
    return true;
  }

  /** Bytes copied from `done` on, 0 at the end of the source; null if they could not be read. */
  #piece(
    { fromText, toText }: { fromText: string; toText: string },
    { source, target, done, stop }: {
      source: Contents;
      target: NewContents<T>;
      done: number;
      stop: number;
    },
  ): number | null {
    const most = stop - done;
    const copied = most < Infinity ? at(toText, () => target.copy?.(source, done, most) ?? -1) : -1;
    if (copied >= 0) return copied;
    const room = this.#buffer.subarray(0, Math.min(PIECE_BYTES, most));
    const length = this.#read(fromText, () => source.read(room, done));
    if (length) at(toText, () => target.write(room.subarray(0, length), done));
    return length;
  }

  /** A symbolic link or a special file; null if it could not be had. */
  #other(job: CopyJob<S, T>, name: string, isTaken: boolean): T | null {
    const { entry, directory, fromText } = job;
    const { from, to } = this.#ends;
    const { mode } = entry.attr;
    if (!isLink(mode)) return this.#special(job, name, isTaken);
    const target = this.#read(fromText, () => from.readlink(entry.node));
    if (target === null) return null;
    const node = this.#place(job, name, isTaken, (free) => to.makeLink(directory, free, target));
    this.#applyAttributes(job, node);
    this.#counts.symlinks++;
    return node;
  }

  /** Not every user may make these, and not every system can. */
  #special(job: CopyJob<S, T>, name: string, isTaken: boolean): T | null {
    const { entry: { attr }, directory, toText } = job;
    try {
      const make = (free: string): T => this.#ends.to.makeSpecial(directory, free, attr);
      const node = this.#place(job, name, isTaken, make);
      this.#applyAttributes(job, node);
      this.#counts.special++;
      return node;
    } catch (error) {
      const { cause } = error as { cause?: { code?: unknown } };
      if (cause?.code !== "EPERM" && cause?.code !== "ENOTSUP") throw error;
      this.#addFinding("lost", "special", `not made: ${messageOf(cause)}`, toText);
      return null;
    }
  }

  /** Makes something under a name, or under another one which then takes the name in one step. */
  #place(job: CopyJob<S, T>, name: string, isTaken: boolean, make: (name: string) => T): T {
    const { to } = this.#ends;
    const { directory } = job;
    return at(job.toText, () => {
      if (!isTaken) return make(name);
      const temporary = freeName((free) => to.look(directory, free) !== null);
      make(temporary);
      try {
        return to.rename(directory, temporary, name);
      } finally {
        // Two names of one inode do not replace each other.
        if (to.look(directory, temporary) !== null) to.remove(directory, temporary);
      }
    });
  }

  #applyAttributes(job: CopyJob<S, T>, node: T): void {
    const xattrs = this.#xattrs(job);
    const lacks = at(job.toText, () => this.#ends.to.applyAttributes(node, job.entry.attr, xattrs));
    this.#reportLacks(lacks, job.toText);
  }

  #xattrs({ entry, fromText }: CopyJob<S, T>): Xattr[] {
    return this.#read(fromText, () => this.#ends.from.xattrs(entry.node)) ?? [];
  }

  /** Reads something of the source; null if that fails, which becomes a finding. */
  #read<V>(fromText: string, work: () => V): V | null {
    try {
      return work();
    } catch (error) {
      const code = (error as { code?: unknown } | null)?.code;
      if (!isErrnoError(error) && typeof code !== "string") throw error;
      this.#addFinding("lost", "unreadable", messageOf(error), fromText);
      return null;
    }
  }

  /** The first of a kind is reported with its place, the others are counted. */
  #reportLacks(lacks: readonly string[], path: string): void {
    for (const lack of lacks) {
      const count = this.#lacks.get(lack) ?? 0;
      this.#lacks.set(lack, count + 1);
      if (count === 0) this.#addFinding("changed", "lacks", lack, path);
    }
  }

  #addFinding(severity: Severity, code: string, message: string, path?: string): void {
    this.#findings.add({ severity, code, message, ...(path === undefined ? {} : { path }) });
  }
}

const UNSTORABLE: ReadonlySet<string> = new Set([
  "EFBIG",
  "EILSEQ",
  "EMLINK",
  "ENAMETOOLONG",
  "EOVERFLOW",
]);

/** Whether an error is about one entry alone. A name that a host refuses is EINVAL. */
function isUnstorable(error: unknown): boolean {
  const code = codeOfHost(error);
  return UNSTORABLE.has(code) || (code === "EINVAL" && !isErrnoError(error));
}

/**
 * Whether what is there is a device, a FIFO or a socket and what comes is another thing: programs use
 * such a name for what it is, as `/dev/null` is.
 */
function isOtherSpecial({ mode: there }: Attr, { mode: coming }: Attr): boolean {
  const isSpecial = !isFile(there) && !isLink(there) && !isDir(there);
  return isSpecial && (there & S_IFMT) !== (coming & S_IFMT);
}

/** The attributes of a copy whose owner could not be given: no rights of another user go with it. */
export function withoutOwner(attr: Attr): Attr {
  return { ...attr, mode: attr.mode & ~0o6000 };
}

function joined(directory: string, name: string): string {
  return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
}
