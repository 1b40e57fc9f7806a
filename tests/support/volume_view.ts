/**
 * Everything that a volume shows, as a value that can be compared: names, attributes, contents and
 * extended attributes. Access times are left out: looking moves them.
 *
 * Layer: tests.
 *
 * @module
 */
import { isDir, isFile, isLink } from "../../abi/mode.ts";
import type { Volume } from "../../opfs/volume/volume.ts";

/** Bytes as a short text that differs where they do. */
function digest(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return `${bytes.length}:${(hash >>> 0).toString(16)}`;
}

function contents(volume: Volume, ino: number, mode: number, size: number): string {
  if (isLink(mode)) return volume.readlink(ino);
  if (!isFile(mode)) return "";
  const bytes = new Uint8Array(size);
  volume.read(ino, bytes, 0, true);
  return digest(bytes);
}

/** One inode, without its names. */
export function viewOf(volume: Volume, ino: number): string {
  const { atime: _, ...attr } = volume.getattr(ino);
  const values = volume.listxattr(ino).sort().map((name) =>
    `${name}=${digest(volume.getxattr(ino, name)!)}`
  );
  return JSON.stringify([attr, contents(volume, ino, attr.mode, attr.size), values]);
}

/** The same without times: those of a write that was cut short may not be durable. */
export function withoutTimes(views: Map<string, string>): Map<string, string> {
  const times = /"[mc]time":[\d.]+,?/g;
  return new Map([...views].map(([path, view]) => [path, view.replace(times, "")]));
}

/** Every path below a directory, and what is there. */
export function viewAll(volume: Volume, ino: number = volume.root, path = ""): Map<string, string> {
  const seen = new Map([[path, viewOf(volume, ino)]]);
  for (let after = 0;;) {
    const entries = volume.readdir(ino, after);
    if (entries.length === 0) return seen;
    for (const { name, mode, cursor } of entries) {
      after = cursor;
      const child = volume.lookup(ino, name);
      const below = isDir(mode)
        ? viewAll(volume, child, `${path}/${name}`)
        : new Map([[`${path}/${name}`, viewOf(volume, child)]]);
      for (const [at, view] of below) seen.set(at, view);
    }
  }
}
