/**
 * Building a tree in a fresh volume, member by member, as an archive or a host folder has it.
 *
 * Layer: cli, under `import_tar.ts` and `import_folder.ts`. Members may come in any order and twice:
 * parents that were not said are made, the later of two wins, and directories get their times last,
 * because each child changes them. What a volume cannot hold is reported and left out. Use:
 *
 *     const tree = new TreeIn(volume, { clock, findings });
 *     const ino = tree.add(member);  tree.write(ino, bytes, at);  tree.finish(ino, member);
 *     tree.close();
 *
 * @module
 */
import { type ErrnoCode, ErrnoError, isDir, isErrnoError, isFile, isLink } from "../../mod.ts";
import type {
  Findings,
  Ino,
  Severity,
  TransferClock,
  TransferCounts,
  TransferReport,
  VolumeOps,
} from "../../opfs/mod.ts";
import { noCounts, reportOf } from "../shared/counts.ts";

/** Something on its way in. */
export interface Member {
  /** Its absolute path in the volume; "/" is the root. */
  path: string;
  /** File type and permission bits. */
  mode: number;
  /** Owner. */
  uid: number;
  /** Group. */
  gid: number;
  /** Device number of a device. */
  rdev: number;
  /** What a symbolic link points to. */
  target?: string | undefined;
  /** Time of the last change of contents, in ms. */
  mtimeMs: number;
  /** Time of the last read, in ms. */
  atimeMs: number;
  /** Time of the last change of anything, in ms. */
  ctimeMs: number;
  /** Extended attributes. */
  xattrs: ReadonlyMap<string, Uint8Array>;
}

/** What a tree is built with. */
export interface TreeOptions {
  /** The clock that the volume was opened with. */
  clock: TransferClock;
  /** Where what was left out is reported. */
  findings: Findings;
  /** The time for what has none, in ms. */
  nowMs: number;
}

/** A hostile path has millions of names. */
const PATH_CHARS_MAX = 65_535;
const IMPLICIT_MODE = 0o040755;
const PERMISSION_BITS = 0o7777;
const ID_MAX = 0xffffffff;
const NOBODY = 65534;
/** What a volume answers to something that it cannot hold, whatever room there is. */
const UNSTORABLE: ReadonlySet<ErrnoCode> = new Set<ErrnoCode>([
  "EFBIG",
  "EILSEQ",
  "EINVAL",
  "EISDIR",
  "EMLINK",
  "ENAMETOOLONG",
  "ENOTDIR",
  "ENOTEMPTY",
]);
const NO_ATTRIBUTE: ReadonlySet<ErrnoCode> = new Set<ErrnoCode>(["E2BIG", "EINVAL", "ERANGE"]);

/** A tree that grows. */
export class TreeIn {
  readonly #volume: VolumeOps;
  readonly #options: TreeOptions;
  /** Directories and what they shall look like in the end. */
  readonly #folders = new Map<Ino, Member>();
  /** Directories that are only part of paths. */
  #implicitPaths: { first: string; count: number } | null = null;
  /** The directory that was walked to last. */
  #last: { path: string; ino: Ino };
  /** What has been carried over so far. */
  readonly counts: TransferCounts = noCounts();

  /** The volume should be new, and opened with the clock. */
  constructor(volume: VolumeOps, options: TreeOptions) {
    this.#volume = volume;
    this.#options = options;
    this.#last = { path: "", ino: volume.root };
  }

  /** Says something that a reader of the result should know. */
  addFinding(
    severity: Severity,
    code: string,
    { path, message }: { path: string; message: string },
  ): void {
    this.#options.findings.add({ severity, code, message, path });
  }

  /**
   * Makes what a member says, without its contents and its times; 0 when that cannot be, which has
   * been reported.
   *
   * @throws {ErrnoError} ENOSPC, EIO
   */
  add(said: Member): Ino {
    const member = this.#withValidNumbers(said);
    return this.#try(member.path, () => {
      const ino = isDir(member.mode) ? this.#folder(member) : this.#leaf(member);
      this.#count(member.mode, 1);
      return ino;
    });
  }

  /** Gives what the path `of` leads to a second name; whether that could be done. */
  link(path: string, of: string): boolean {
    const done = this.#try(path, () => {
      const ino = this.#find(of);
      if (ino === 0 || isDir(this.#volume.getattr(ino).mode)) {
        this.#lost(path, `it is a further name of "${of}", and there is no such file`);
        return 0;
      }
      if (this.#find(path) === ino) return ino;
      const { parent, name } = this.#place(path);
      this.#clear(parent, name, path);
      this.#options.clock.nowMs = this.#volume.getattr(ino).ctime;
      this.#volume.link(ino, parent, name);
      this.counts.hardLinks++;
      return ino;
    });
    return done !== 0;
  }

  /** Whether a path leads to something by now. */
  has(path: string): boolean {
    return this.#find(path) !== 0;
  }

  /** Writes bytes of a file. */
  write(ino: Ino, bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length;) {
      done += this.#volume.write(ino, bytes.subarray(done), at + done);
    }
    this.counts.bytes += bytes.length;
  }

  /** Makes a file as long as said, with a hole at its end if it was shorter. */
  extend(ino: Ino, sizeBytes: number): void {
    this.#volume.setattr(ino, { size: sizeBytes });
  }

  /** Takes a file away that cannot have all its contents, and says so. */
  drop(path: string, { why, bytes }: { why: string; bytes: number }): void {
    const { parent, name } = this.#place(path);
    const mode = this.#volume.getattr(this.#volume.lookup(parent, name)).mode;
    this.#volume.unlink(parent, name);
    this.#count(mode, -1);
    this.counts.bytes -= bytes;
    this.#lost(path, why);
  }

  /** Whether an error is about what is to be kept, and the rest can be kept all the same. */
  isUnstorable(error: unknown): error is ErrnoError {
    return isErrnoError(error) && UNSTORABLE.has(error.code);
  }

  /** Says that a volume cannot hold something. */
  lose(path: string, why: string): void {
    this.#lost(path, why);
  }

  /** Puts attributes and times on what has all its contents now. */
  finish(ino: Ino, said: Member): void {
    const member = this.#withValidNumbers(said, false);
    this.#options.clock.nowMs = member.ctimeMs;
    for (const [name, value] of member.xattrs) this.#attribute(ino, { name, value, member });
    if (isDir(member.mode)) this.#folders.set(ino, member);
    else this.#volume.setattr(ino, { atime: member.atimeMs, mtime: member.mtimeMs });
  }

  /** What has become of it. */
  report(): TransferReport {
    return reportOf(this.counts, this.#options.findings);
  }

  /** Puts their times on the directories, and makes everything durable. */
  close(): void {
    const { nowMs, clock } = this.#options;
    for (const [ino, member] of this.#folders) {
      if (this.#isGone(ino)) continue;
      clock.nowMs = member.ctimeMs;
      const { mode, uid, gid, atimeMs, mtimeMs } = member;
      const change = { mode: mode & PERMISSION_BITS, uid, gid, atime: atimeMs, mtime: mtimeMs };
      this.#volume.setattr(ino, change);
    }
    this.#reportImplicit();
    const { root } = this.#volume;
    if (!this.#folders.has(root)) {
      clock.nowMs = nowMs;
      this.#volume.setattr(root, { atime: nowMs, mtime: nowMs });
      this.counts.directories++;
    }
    this.#volume.sync();
  }

  #reportImplicit(): void {
    if (this.#implicitPaths === null) return;
    const { first, count } = this.#implicitPaths;
    const what = count === 1 ? "a directory" : `${count} directories, this one and others,`;
    const message = `${what} only part of paths: mode 0755, owner 0 and the present time`;
    this.addFinding("note", "directory-implicit", { path: first, message });
  }

  /** A directory may have been replaced by a later member. */
  #isGone(ino: Ino): boolean {
    try {
      this.#volume.getattr(ino);
      return false;
    } catch (error) {
      if (isErrnoError(error) && error.code === "ESTALE") return true;
      throw error;
    }
  }

  /** 0, and a finding, when the volume cannot hold it. */
  #try(path: string, work: () => Ino): Ino {
    try {
      if (path.length > PATH_CHARS_MAX) throw new ErrnoError("ENAMETOOLONG", "make it");
      return work();
    } catch (error) {
      if (!this.isUnstorable(error)) throw error;
      this.#lost(path, error.message);
      return 0;
    }
  }

  #lost(path: string, why: string): void {
    this.addFinding("lost", "unstorable", { path, message: `a volume cannot hold it: ${why}` });
  }

  #folder(member: Member): Ino {
    const found = member.path === "/" ? this.#volume.root : this.#find(member.path);
    const isThere = found !== 0 && isDir(this.#volume.getattr(found).mode);
    const ino = isThere ? found : this.#make(member);
    if (this.#folders.has(ino)) this.#count(member.mode, -1);
    this.#folders.set(ino, member);
    return ino;
  }

  #leaf(member: Member): Ino {
    if (member.path === "/") {
      this.#lost("/", "the root is a directory");
      return 0;
    }
    return this.#make(member);
  }

  #make(member: Member): Ino {
    const { parent, name } = this.#place(member.path);
    this.#clear(parent, name, member.path);
    const { mode, uid, gid, rdev, target, ctimeMs } = member;
    this.#options.clock.nowMs = ctimeMs;
    const options = target === undefined ? { rdev } : { target };
    return this.#volume.create(parent, name, { mode, uid, gid, ...options });
  }

  /** Takes away what has the name: the later one wins. */
  #clear(parent: Ino, name: string, path: string): void {
    const ino = this.#volume.lookup(parent, name);
    if (ino === 0) return;
    const attr = this.#volume.getattr(ino);
    if (isDir(attr.mode)) {
      this.#volume.rmdir(parent, name);
      this.#last = { path: "", ino: this.#volume.root };
    } else {
      this.#volume.unlink(parent, name);
    }
    if (!isDir(attr.mode) && attr.nlink > 1) this.counts.hardLinks--;
    else this.#count(attr.mode, -1);
    if (isFile(attr.mode) && attr.nlink === 1) this.counts.bytes -= attr.size;
    this.addFinding("note", "said-twice", {
      path,
      message: "it is there twice: the later one counts",
    });
  }

  #count(mode: number, by: number): void {
    if (isDir(mode)) this.counts.directories += by;
    else if (isFile(mode)) this.counts.files += by;
    else if (isLink(mode)) this.counts.symlinks += by;
    else this.counts.special += by;
  }

  #place(path: string): { parent: Ino; name: string } {
    const slash = path.lastIndexOf("/");
    return { parent: this.#parent(path.slice(0, slash)), name: path.slice(slash + 1) };
  }

  /** What a path leads to, or 0. */
  #find(path: string): Ino {
    let ino: Ino = this.#volume.root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      if (!isDir(this.#volume.getattr(ino).mode)) return 0;
      ino = this.#volume.lookup(ino, name);
      if (ino === 0) return 0;
    }
    return ino;
  }

  /** The directory at a path, made with its parents where it is missing. */
  #parent(path: string): Ino {
    if (path === this.#last.path) return this.#last.ino;
    let ino: Ino = this.#volume.root;
    let at = "";
    for (const name of path.split("/").slice(1)) {
      at += `/${name}`;
      const found = this.#volume.lookup(ino, name);
      ino = found === 0 ? this.#implicit(ino, name, at) : found;
    }
    this.#last = { path, ino };
    return ino;
  }

  #implicit(parent: Ino, name: string, path: string): Ino {
    const { nowMs } = this.#options;
    const owner = { mode: IMPLICIT_MODE, uid: 0, gid: 0 };
    const times = { mtimeMs: nowMs, atimeMs: nowMs, ctimeMs: nowMs };
    this.#options.clock.nowMs = nowMs;
    const ino = this.#volume.create(parent, name, owner);
    this.#folders.set(ino, { path: "", ...owner, ...times, rdev: 0, xattrs: new Map() });
    this.counts.directories++;
    this.#implicitPaths ??= { first: path, count: 0 };
    this.#implicitPaths.count++;
    return ino;
  }

  #attribute(
    ino: Ino,
    { name, value, member }: { name: string; value: Uint8Array; member: Member },
  ): void {
    try {
      this.#volume.setxattr(ino, name, value, 0);
    } catch (error) {
      if (!isErrnoError(error) || !NO_ATTRIBUTE.has(error.code)) throw error;
      const message = `its attribute "${name}" is left out: ${error.message}`;
      this.addFinding("changed", "attribute-lost", { path: member.path, message });
    }
  }

  /** Numbers that a volume can hold; `isReported` unless this has been reported before. */
  #withValidNumbers(member: Member, isReported = true): Member {
    const change = (what: string): void => {
      if (!isReported) return;
      this.addFinding("changed", "number-replaced", { path: member.path, message: what });
    };
    const idOf = (id: number, whose: string): number => {
      if (Number.isInteger(id) && id >= 0 && id <= ID_MAX) return id;
      change(`its ${whose} is ${id}, which no volume holds: ${NOBODY} now`);
      return NOBODY;
    };
    const timeOf = (timeMs: number): number => {
      if (Number.isFinite(timeMs)) return timeMs;
      change("one of its times is invalid: 0 now");
      return 0;
    };
    const uid = idOf(member.uid, "owner");
    const gid = idOf(member.gid, "group");
    const [mtimeMs, atimeMs, ctimeMs] = [member.mtimeMs, member.atimeMs, member.ctimeMs].map(
      timeOf,
    );
    return { ...member, uid, gid, mtimeMs: mtimeMs!, atimeMs: atimeMs!, ctimeMs: ctimeMs! };
  }
}
