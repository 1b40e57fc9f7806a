/**
 * VOLUMEFS, the watches: what other clients have done to a file or a directory's entries.
 *
 * Layer: node_ops, part of `volume.ts`. A volume reports that something has changed, not what: a
 * watch keeps what it saw last, looks again, and reports the difference. What its own instance does
 * is reported by the instance itself, and only noted here.
 *
 * @module
 */
import type { Attr } from "../abi/attr.ts";
import { isErrnoError } from "../abi/errno.ts";
import { isDir } from "../abi/mode.ts";
import type { FarWatch, FSNode, NodeChange } from "../abi/node.ts";
import type { FoundEntry, Ino, VolumeOps } from "../opfs/volume_ops.ts";
import type { VolumeRecord } from "../stream_ops/volume_record.ts";

/** What is remembered of an inode: enough to see that it has changed. */
type Seen = Pick<Attr, "mtime" | "ctime" | "size"> & { handle: Ino };

/** Starts to watch a node; null over a volume that no other client changes. */
export function watchVolume(
  volume: VolumeOps,
  node: FSNode<VolumeRecord>,
  notify: (change: NodeChange) => void,
): FarWatch | null {
  if (volume.onChange === undefined) return null;
  const { handle, mode } = node.data;
  return isDir(mode)
    ? new DirectoryWatch(volume, handle, notify)
    : new FileWatch(volume, handle, notify);
}

/** A watch on one inode: how it looks again, and when that ends. */
abstract class VolumeWatch implements FarWatch {
  protected readonly volume: VolumeOps;
  protected readonly handle: Ino;
  protected readonly notify: (change: NodeChange) => void;
  readonly #stop: () => void;

  constructor(volume: VolumeOps, handle: Ino, notify: (change: NodeChange) => void) {
    this.volume = volume;
    this.handle = handle;
    this.notify = notify;
    this.#stop = volume.onChange!(() => this.#look());
  }

  /** Looks again, and reports the difference. */
  protected abstract look(): void;

  abstract seen(name: string | null): void;

  close(): void {
    this.#stop();
  }

  #look(): void {
    try {
      this.look();
    } catch (error) {
      if (!isErrnoError(error)) throw error;
      this.close();
      if (error.code === "ESTALE") this.notify({ type: "delete", name: null });
    }
  }
}

class FileWatch extends VolumeWatch {
  #last: Seen;

  constructor(volume: VolumeOps, handle: Ino, notify: (change: NodeChange) => void) {
    super(volume, handle, notify);
    this.#last = this.#attr();
  }

  protected look(): void {
    const before = this.#last;
    this.#last = this.#attr();
    const type = differenceOf(before, this.#last);
    if (type !== null) this.notify({ type, name: null });
  }

  seen(): void {
    this.#last = this.#attr();
  }

  #attr(): Seen {
    return seenOf(this.handle, this.volume.getattr(this.handle));
  }
}

class DirectoryWatch extends VolumeWatch {
  #last: Map<string, Seen>;

  constructor(volume: VolumeOps, handle: Ino, notify: (change: NodeChange) => void) {
    super(volume, handle, notify);
    this.#last = this.#entries();
  }

  protected look(): void {
    const before = this.#last;
    const after = this.#last = this.#entries();
    for (const [name, { handle }] of before) {
      if (after.get(name)?.handle !== handle) this.notify({ type: "delete", name });
    }
    for (const [name, entry] of after) {
      const known = before.get(name);
      const type = known?.handle === entry.handle ? differenceOf(known, entry) : "create";
      if (type !== null) this.notify({ type, name });
    }
  }

  seen(name: string | null): void {
    if (name === null) return;
    const ino = this.volume.lookup(this.handle, name);
    if (ino === 0) this.#last.delete(name);
    else this.#last.set(name, seenOf(ino, this.volume.getattr(ino)));
  }

  #entries(): Map<string, Seen> {
    const entries = new Map<string, Seen>();
    for (let after = 0;;) {
      const page = this.#page(after);
      const last = page.at(-1);
      if (last === undefined) return entries;
      for (const { name, ino, attr } of page) entries.set(name, seenOf(ino, attr));
      after = last.cursor;
    }
  }

  #page(after: number): FoundEntry[] {
    const { volume, handle } = this;
    if (volume.readdirAttr !== undefined) return volume.readdirAttr(handle, after);
    return volume.readdir(handle, after).map((entry) => {
      const ino = volume.lookup(handle, entry.name);
      return { ...entry, ino, attr: volume.getattr(ino) };
    });
  }
}

function seenOf(handle: Ino, { mtime, ctime, size }: Attr): Seen {
  return { handle, mtime, ctime, size };
}

function differenceOf(before: Seen, after: Seen): "modify" | "attrib" | null {
  if (before.mtime !== after.mtime || before.size !== after.size) return "modify";
  return before.ctime === after.ctime ? null : "attrib";
}
