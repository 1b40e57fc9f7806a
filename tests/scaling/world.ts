/** A file system with many of everything. Layer: tests, below the tables of this folder. */
import { F_OFD_SETLK, F_WRLCK } from "../../abi/flags.ts";
import type { FSStream } from "../../abi/node.ts";
import { createFS } from "../../fs/create_fs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";

export type FS = ReturnType<typeof createFS>;

/** Where the calls are tried. */
export interface World {
  readonly fs: FS;
  /** How many there are of each: names in `/d`, descriptors, locks, watches, links, attributes. */
  readonly count: number;
  /** Open on `/shared`, each with a lock of its own. */
  readonly streams: readonly FSStream[];
  /** The directory `/d`, open. */
  readonly directory: FSStream;
  /** One name of many. */
  path(index: number): string;
}

/** The backends that a world can stand on. */
export const ROOTS: Readonly<Record<string, () => FS>> = {
  MEMFS: () => createFS(),
  VOLUMEFS: () => {
    const volume = openVolumeSync(memoryHandle());
    return createFS({ root: { type: VOLUMEFS, options: { volume } } });
  },
};

/** Makes one. */
export function makeWorld(fs: FS, count: number): World {
  for (const path of ["/d", "/l", "/m", "/spare"]) fs.mkdir(path);
  fs.writeFile("/shared", new Uint8Array(16));
  fs.writeFile("/many", "x");
  const directory = fs.open("/d", 0);
  const streams: FSStream[] = [];
  const path = (index: number): string => `/d/f${index % count}`;
  for (let index = 0; index < count; index++) {
    fs.writeFile(path(index), "x");
    fs.symlink("/shared", `/l/s${index}`);
    fs.watch(path(index), () => {});
    fs.setxattr("/many", `user.a${index}`, new Uint8Array(1));
    const stream = fs.open("/shared", 2);
    fs.fcntl(stream, F_OFD_SETLK, { type: F_WRLCK, whence: 0, start: index * 2, len: 1 });
    streams.push(stream);
  }
  for (let index = 0; index < count / 10; index++) {
    fs.mkdir(`/m/${index}`);
    fs.mount(MEMFS, {}, `/m/${index}`);
  }
  return { fs, count, streams, directory, path };
}
