/**
 * Calls on mounted file systems: mounting, space, making everything durable.
 *
 * Layer: fs, a group of calls. The namespace's side of a mount is in `mounts.ts`; a type of
 * Emscripten's becomes a backend in `foreign.ts`.
 *
 * @module
 */
import type { StatFs } from "../abi/attr.ts";
import { type Backend, type FSNode, FSStream, type Mount, type NodeRecord } from "../abi/node.ts";
import { NAME_MAX, refuse } from "./arguments.ts";
import { type ForeignBackend, foreignBackend, type ForeignType, isForeign } from "./foreign.ts";
import { find, FOLLOW, nodeAt } from "./lookup.ts";
import { mountAt, type MountOptions, unmountAt } from "./mounts.ts";
import type { State } from "./state.ts";

/** Space of a mounted file system, with the fields of C's struct statfs beside ours. */
export interface FSStatFs extends StatFs {
  /** Same as blockSize. */
  bsize: number;
  /** Same as blockSize. */
  frsize: number;
  /** Same as freeBlocks. */
  bfree: number;
  /** Same as freeBlocks. */
  bavail: number;
  /** Same as inodes. */
  files: number;
  /** Same as freeInodes. */
  ffree: number;
  /** Number of the mount. */
  fsid: number;
  /** 1 if the mount is read-only. */
  flags: number;
  /** Longest name, in bytes. */
  namelen: number;
}

/** What `syncfs` calls when it is done: null, or the first error. */
export type SyncDone = (error: unknown) => void;

/** Calls on mounted file systems. */
export interface MountCalls {
  /** Space of the file system that holds the path. */
  statfs(path: string): FSStatFs;

  /** Space of the file system that holds an open file. */
  statfsStream(stream: FSStream): FSStatFs;

  /** Space of the file system that holds the node. */
  statfsNode(node: FSNode): FSStatFs;

  /**
   * Mounts a type over a directory, or at "/" if nothing is there yet, and returns its root. The type
   * is one of ours or one of Emscripten's.
   *
   * @throws {ErrnoError} EBUSY (something is mounted there), ENOENT, ENOTDIR, or the type's own
   */
  mount<O, D extends NodeRecord>(
    type: Backend<O, D> | ForeignType,
    opts: O,
    mountpoint: string,
    options?: MountOptions,
  ): FSNode;

  /** Unmounts. EINVAL if nothing is mounted there, EBUSY if it is in use, unless forced. */
  unmount(mountpoint: string, options?: { force?: boolean }): void;

  /** What is mounted, in the order of mounting; with `mount`, that and what is below it. */
  getMounts(mount?: Mount): Mount[];

  /** Makes everything that was written durable, on every mount. The first error is thrown. */
  sync(): void;

  /**
   * Brings every mount to its storage, or with `populate` from there to memory where a type has such
   * a direction, and calls back once with null or the first error.
   */
  syncfs(populate: boolean | SyncDone, callback?: SyncDone): void;
}

/** The calls; `this` is the instance. */
export const MOUNT_CALLS: MountCalls & ThisType<State & MountCalls> = {
  statfs(path) {
    return this.statfsNode(find(this, "statfs", path, FOLLOW));
  },

  statfsStream(stream) {
    if (!(stream instanceof FSStream)) refuse("EBADF", "statfs");
    return this.statfsNode(stream.node);
  },

  statfsNode(node) {
    const { mount } = nodeAt(this, "statfs", node, true);
    if (mount.dev === 0) refuse("EINVAL", "statfs of a node that is not mounted");
    const { root, dev, readOnly } = mount;
    const space = root.node_ops.statfs?.(root) ?? UNKNOWN_SPACE;
    return {
      ...space,
      bsize: space.blockSize,
      frsize: space.blockSize,
      bfree: space.freeBlocks,
      bavail: space.freeBlocks,
      files: space.inodes,
      ffree: space.freeInodes,
      fsid: dev,
      flags: readOnly ? 1 : 0,
      namelen: NAME_MAX,
    };
  },

  mount(type, opts, mountpoint, options = {}) {
    if (typeof type?.mount !== "function") refuse("EINVAL", "mount", type);
    const backend = isForeign(type)
      ? foreignBackend(type, { mountpoint, clock: this.clock })
      : type;
    return mountAt(this, backend as unknown as Backend<unknown>, opts, mountpoint, options);
  },

  unmount(mountpoint, options = {}) {
    unmountAt(this, mountpoint, options?.force === true);
  },

  getMounts(mount) {
    if (mount === undefined) return [...this.mounts];
    const inside = new Map<Mount, Mount[]>();
    for (const other of this.mounts) {
      const outer = other.mountpoint?.mount;
      if (outer === undefined) continue;
      const beside = inside.get(outer);
      if (beside === undefined) inside.set(outer, [other]);
      else beside.push(other);
    }
    const below = (outer: Mount): Mount[] => [outer, ...(inside.get(outer) ?? []).flatMap(below)];
    return below(mount);
  },

  sync() {
    for (const mount of [...this.mounts]) {
      (mount.type as Backend<unknown>).syncfs?.(mount.root);
    }
  },

  syncfs(populate, callback) {
    const done = typeof populate === "function" ? populate : callback;
    if (typeof done !== "function") refuse("EINVAL", "syncfs without a callback");
    const isInward = populate === true;
    this.syncFSRequests++;
    let waiting = 1;
    let first: unknown = null;
    const finish = (error: unknown): void => {
      first ??= error ?? null;
      if (--waiting > 0) return;
      this.syncFSRequests--;
      done(first);
    };
    for (const mount of [...this.mounts]) {
      waiting++;
      synchronize(mount, isInward, finish);
    }
    finish(null);
  },
};

/** What a file system says of its space that does not know it. */
const UNKNOWN_SPACE: StatFs = {
  blockSize: 4096,
  blocks: 1_000_000,
  freeBlocks: 500_000,
  inodes: 1_000_000,
  freeInodes: 500_000,
};

/** Brings one mount to its storage or from there, and calls back once. */
function synchronize(mount: Mount, isInward: boolean, done: SyncDone): void {
  const type = mount.type as Backend<unknown> & Partial<ForeignBackend>;
  try {
    if (type.synchronize) return type.synchronize(isInward, done);
    if (!isInward) type.syncfs?.(mount.root);
  } catch (error) {
    return done(error);
  }
  done(null);
}
