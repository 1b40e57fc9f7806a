/**
 * Opening an image for a verb, and finding what is in it.
 *
 * Layer: cli. `withVolume` opens for reading only unless told otherwise, and closes whatever happens.
 * `filesOf` gives the calls of an `FS` over the volume and nothing else: no /dev and no /proc in
 * front of the image's own directories.
 *
 * @module
 */
import { type Attr, ErrnoError, FS, isDir, VOLUMEFS } from "../mod.ts";
import { fileHandle, type Ino, openVolumeSync, type Volume, type VolumeOps } from "../opfs/mod.ts";
import { at } from "./verb.ts";

/** Opens the volume in a host file, does something with it, and closes it. */
export function withVolume<T>(
  path: string,
  work: (volume: Volume) => T,
  { readOnly = true }: { readOnly?: boolean } = {},
): T {
  const volume = openImage(path, readOnly);
  let result: T;
  try {
    result = work(volume);
  } catch (error) {
    closeQuietly(volume);
    throw error;
  }
  at(path, () => volume.close());
  return result;
}

/** The same for work that takes its time. */
export async function withVolumeAtLength<T>(
  path: string,
  work: (volume: Volume) => Promise<T>,
  { readOnly = true }: { readOnly?: boolean } = {},
): Promise<T> {
  const volume = openImage(path, readOnly);
  let result: T;
  try {
    result = await work(volume);
  } catch (error) {
    closeQuietly(volume);
    throw error;
  }
  at(path, () => volume.close());
  return result;
}

/** Opens the volume in a host file. */
export function openImage(path: string, readOnly: boolean): Volume {
  return at(path, () => {
    const handle = fileHandle(path, { create: false, readOnly });
    try {
      if (handle.getSize() === 0) throw new ErrnoError("EINVAL", "open the volume: it is empty");
      return openVolumeSync(handle, { create: false, readOnly });
    } catch (error) {
      handle.close();
      throw error;
    }
  });
}

/** The error that is on its way says more than the one of closing. */
function closeQuietly(volume: Volume): void {
  try {
    volume.close();
  } catch {
    // Told already.
  }
}

/** The calls of a file system whose root is the volume. */
export function filesOf(volume: VolumeOps, { readOnly = true }: { readOnly?: boolean } = {}): FS {
  const files = new FS({});
  files.mount(VOLUMEFS, { volume }, "/", { readOnly });
  return files;
}

/** One file, directory or link of a volume. */
export interface Found {
  /** Its absolute path. */
  path: string;
  /** Its inode. */
  ino: Ino;
  /** Its attributes. */
  attr: Attr;
}

/** Everything in a volume, parents first, names sorted; links are not followed. */
export function* walk(volume: VolumeOps): Generator<Found, void, void> {
  const attr = volume.getattr(volume.root);
  const stack: { ino: Ino; path: string; names: string[] }[] = [];
  yield { path: "/", ino: volume.root, attr };
  stack.push({ ino: volume.root, path: "", names: namesOf(volume, volume.root) });
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const name = frame.names.pop();
    if (name === undefined) {
      stack.pop();
      continue;
    }
    const ino = volume.lookup(frame.ino, name);
    const path = `${frame.path}/${name}`;
    const found = { path, ino, attr: volume.getattr(ino) };
    yield found;
    if (isDir(found.attr.mode)) stack.push({ ino, path, names: namesOf(volume, ino) });
  }
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
