/**
 * Opening an image for a verb, and finding what is in it.
 *
 * Layer: cli. `withVolume` opens for reading only unless asked otherwise, and closes whatever
 * happens. `filesOf` gives the calls of an `FS` over the volume and nothing else: no /dev and no
 * /proc in front of the image's own directories.
 *
 * @module
 */
import {
  type Attr,
  ErrnoError,
  FS,
  type FSNode,
  isDir,
  VOLUMEFS,
  type VolumeRecord,
} from "../../mod.ts";
import {
  fileHandle,
  type HostFileHandle,
  type Ino,
  openVolumeSync,
  type Volume,
  type VolumeOps,
} from "../../opfs/mod.ts";
import { at, ImageChanged, PlaceError, UnplacedError } from "./verb.ts";

/**
 * Opens the volume in a host file, does something with it, and closes it.
 *
 * Who only reads takes no lock, so the file may be written while it is read: if it was, every verb
 * says so at the end, in the same way, by an {@link ImageChanged}.
 */
export function withVolume<T>(
  path: string,
  work: (volume: Volume) => T,
  { readOnly = true }: { readOnly?: boolean } = {},
): T {
  const opened = openImage(path, readOnly);
  let result: T;
  try {
    result = work(opened.volume);
  } catch (error) {
    throw opened.afterFailure(error);
  }
  opened.close();
  return result;
}

/** The same for work that takes its time. */
export async function withVolumeAtLength<T>(
  path: string,
  work: (volume: Volume) => Promise<T>,
  { readOnly = true }: { readOnly?: boolean } = {},
): Promise<T> {
  const opened = openImage(path, readOnly);
  let result: T;
  try {
    result = await work(opened.volume);
  } catch (error) {
    throw opened.afterFailure(error);
  }
  opened.close();
  return result;
}

/** The same for work on the bytes of an image, which are only read. */
export function withDevice<T>(path: string, work: (handle: HostFileHandle) => T): T {
  return at(path, () => {
    const handle = fileHandle(path, { create: false, readOnly: true });
    try {
      const result = work(handle);
      if (handle.isChanged()) throw new ImageChanged(path);
      return result;
    } catch (error) {
      throw afterChange(path, handle.isChanged(), error);
    } finally {
      handle.close();
    }
  });
}

/** A change of the image explains what failed; an error about no place stays what it is. */
function afterChange(path: string, isChanged: boolean, error: unknown): unknown {
  return isChanged && !(error instanceof UnplacedError) ? new ImageChanged(path, error) : error;
}

/** A volume that is open. */
class OpenImage {
  readonly #path: string;
  readonly #handle: HostFileHandle;
  readonly #readOnly: boolean;
  readonly volume: Volume;

  constructor(path: string, handle: HostFileHandle, readOnly: boolean) {
    this.#path = path;
    this.#handle = handle;
    this.#readOnly = readOnly;
    this.volume = openVolumeSync(handle, { create: false, readOnly });
  }

  get #isChanged(): boolean {
    return this.#readOnly && this.#handle.isChanged();
  }

  close(): void {
    const isChanged = this.#isChanged;
    at(this.#path, () => this.volume.close());
    if (isChanged) throw new ImageChanged(this.#path);
  }

  /** Closes it; what is thrown then. */
  afterFailure(error: unknown): unknown {
    const isChanged = this.#isChanged;
    try {
      this.volume.close();
    } catch (closing) {
      // An error that is on its way says more; another image that was read says less.
      if (error instanceof ImageChanged) return new PlaceError(this.#path, closing);
    }
    return afterChange(this.#path, isChanged, error);
  }
}

function openImage(path: string, readOnly: boolean): OpenImage {
  return at(path, () => {
    const handle = fileHandle(path, { create: false, readOnly });
    try {
      if (handle.getSize() === 0) {
        throw new ErrnoError("EINVAL", "open the volume", { why: "it is empty" });
      }
      return new OpenImage(path, handle, readOnly);
    } catch (error) {
      const isChanged = readOnly && handle.isChanged();
      handle.close();
      throw afterChange(path, isChanged, error);
    }
  });
}

/** The calls of a file system whose root is the volume. */
export function filesOf(volume: VolumeOps, { readOnly = true }: { readOnly?: boolean } = {}): FS {
  const files = new FS({});
  files.mount(VOLUMEFS, { volume }, "/", { readOnly });
  return files;
}

/** The inode that a node of {@link filesOf} stands for. */
export function inoOf(node: FSNode): Ino {
  return (node.data as VolumeRecord).handle;
}

/** The inode that a path leads to. ENOENT, ENOTDIR, ELOOP. */
export function inoAt(files: FS, path: string, { follow }: { follow: boolean }): Ino {
  const { node } = files.lookupPath(path, { follow, noent_okay: true });
  if (node === null) throw new ErrnoError("ENOENT", "find it");
  return inoOf(node);
}

/** One file, directory or link of a volume. */
export interface Found {
  /** Its path, as it was come to. */
  path: string;
  /** Its inode. */
  ino: Ino;
  /** Its attributes. */
  attr: Attr;
  /** How far it is below where the walk began. */
  depth: number;
  /** The directory that has the name; 0 where the walk began. */
  parent: Ino;
  /** The name there. */
  name: string;
}

/** Where and how to walk. */
export interface WalkOptions {
  /** Where to begin. Default the root. */
  from?: { path: string; ino: Ino };
  /** Whether a directory comes after what is in it. Default false. */
  isContentFirst?: boolean;
  /** How far down to go. Default: to the ground. */
  maxDepth?: number;
}

interface Frame {
  found: Found;
  /** What is still to come, from the last to the first. */
  names: string[];
}

/** Everything in a volume, or below a place, names sorted; links are not followed. */
export function* walk(
  volume: VolumeOps,
  { from, isContentFirst = false, maxDepth = Infinity }: WalkOptions = {},
): Generator<Found, void, void> {
  const { path, ino } = from ?? { path: "/", ino: volume.root };
  const stack: Frame[] = [];
  let found: Found = { path, ino, attr: volume.getattr(ino), depth: 0, parent: 0, name: "" };
  for (;;) {
    const isEntered = isDir(found.attr.mode) && found.depth < maxDepth;
    if (!isContentFirst || !isEntered) yield found;
    if (isEntered) stack.push({ found, names: namesOf(volume, found.ino) });
    for (let frame = stack.at(-1); frame?.names.length === 0; frame = stack.at(-1)) {
      stack.pop();
      if (isContentFirst) yield frame.found;
    }
    const frame = stack.at(-1);
    if (frame === undefined) return;
    found = below(volume, frame.found, frame.names.pop()!);
  }
}

function below(volume: VolumeOps, { path, ino, depth }: Found, name: string): Found {
  const inode = volume.lookup(ino, name);
  return {
    path: path.endsWith("/") ? path + name : `${path}/${name}`,
    ino: inode,
    attr: volume.getattr(inode),
    depth: depth + 1,
    parent: ino,
    name,
  };
}

/** Names from the last to the first: they are taken from the end. */
function namesOf(volume: VolumeOps, directory: Ino): string[] {
  const names: string[] = [];
  for (let after = 0;;) {
    const entries = volume.readdir(directory, after);
    if (entries.length === 0) break;
    for (const entry of entries) names.push(entry.name);
    after = entries.at(-1)!.cursor;
  }
  return names.sort((one, other) => one < other ? 1 : one > other ? -1 : 0);
}
