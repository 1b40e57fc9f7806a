/**
 * The inodes that the kernel knows.
 *
 * Layer: adapters/fuse. Each answer that names an inode (LOOKUP, CREATE, MKNOD, MKDIR, SYMLINK, LINK,
 * an entry of READDIRPLUS) counts once; FORGET takes counts back. As long as one is left the inode
 * is retained in the volume, so that what is open outlives its last name. The root is always known.
 *
 * Of a directory the parent is kept too: a volume's inode does not know where it stands, but "..".
 *
 * @module
 */
import { type DirEntry, type Ino, isDir, S_ISGID, S_ISUID, type VolumeOps } from "../../mod.ts";

interface Known {
  /** Answers that the kernel has not taken back. */
  lookups: number;
  /** As last seen: whether a write has bits to take away. */
  mode: number;
  /** Where a directory stands; 0 for anything else. */
  parent: Ino;
}

/** Counts of lookups, as retain and release of the volume. */
export class KnownInodes {
  readonly #volume: VolumeOps;
  readonly #known = new Map<Ino, Known>();

  /** Knows nothing but the root. */
  constructor(volume: VolumeOps) {
    this.#volume = volume;
  }

  /** How many inodes are known, the root not among them. */
  get count(): number {
    return this.#known.size;
  }

  /**
   * One more answer names the inode, which stands in `parent`; 0 if the answer does not say where.
   * The root is not counted.
   */
  remember(ino: Ino, { mode, parent }: { mode: number; parent: Ino }): void {
    if (ino === this.#volume.root) return;
    let known = this.#known.get(ino);
    if (known === undefined) {
      this.#volume.retain(ino);
      known = { lookups: 0, mode, parent: 0 };
      this.#known.set(ino, known);
    }
    known.lookups++;
    known.mode = mode;
    if (isDir(mode) && parent !== 0) known.parent = parent;
  }

  /** The kernel takes answers back; with the last one the inode is let go. */
  forget(ino: Ino, lookups: number): void {
    const known = this.#known.get(ino);
    if (known === undefined) return;
    known.lookups -= lookups;
    if (known.lookups > 0) return;
    this.#known.delete(ino);
    this.#volume.release(ino);
  }

  /** The kernel is gone: everything is let go. */
  forgetAll(): void {
    for (const [ino, { lookups }] of [...this.#known]) this.forget(ino, lookups);
  }

  /** The mode as the kernel gets to see it. */
  noteMode(ino: Ino, mode: number): void {
    const known = this.#known.get(ino);
    if (known !== undefined) known.mode = mode;
  }

  /** Whether a write by an unprivileged user may have bits to take away. */
  mayHavePrivileges(ino: Ino): boolean {
    const known = this.#known.get(ino);
    return known === undefined || (known.mode & (S_ISUID | S_ISGID)) !== 0;
  }

  /** An inode has got another place; of interest if it is a directory. */
  moved(ino: Ino, parent: Ino): void {
    const known = this.#known.get(ino);
    if (known !== undefined && isDir(known.mode)) known.parent = parent;
  }

  /** The directory that a directory stands in; 0 if that is not known. */
  parentOf(ino: Ino): Ino {
    return ino === this.#volume.root ? ino : this.#known.get(ino)?.parent ?? 0;
  }
}

/**
 * The directory that has an entry for a directory; 0 if none has. Goes through all of them, which is
 * for file handles from before the kernel forgot where they stand.
 */
export function searchParent(volume: VolumeOps, directory: Ino): Ino {
  const folders = [volume.root];
  for (const folder of folders) {
    for (const { name } of subdirectories(volume, folder)) {
      const ino = volume.lookup(folder, name);
      if (ino === directory) return folder;
      if (ino !== 0) folders.push(ino);
    }
  }
  return 0;
}

function* subdirectories(volume: VolumeOps, folder: Ino): Generator<DirEntry, void, void> {
  for (let entries = volume.readdir(folder, 0); entries.length > 0;) {
    yield* entries.filter(({ mode }) => isDir(mode));
    entries = volume.readdir(folder, entries.at(-1)!.cursor);
  }
}
