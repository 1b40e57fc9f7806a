/**
 * What a call can see: names, mounts, streams, the current directory, credentials, the clock, limits.
 *
 * Layer: fs. One instance is one process: nothing here is shared with another. The functions in
 * `lookup.ts`, `permissions.ts` and their neighbours take a State and hold none themselves; so do the
 * groups of calls, whose `this` it is. `fs.ts` makes a class of State and calls.
 *
 * @module
 */
import type { Credentials, PermissionMode } from "../abi/credentials.ts";
import { ErrnoError } from "../abi/errno.ts";
import { LockTable } from "../abi/locks.ts";
import { type Backend, FSNode, FSStream, type Mount, type StreamOps } from "../abi/node.ts";
import { choiceOption, countOption, functionOption, optionsOf } from "../abi/options.ts";
import { integer, refuse, saidBy } from "./arguments.ts";
import { DEVICE_MAJOR_BASE } from "./devices.ts";
import { FileMaps, type HeapAllocator } from "./mmap.ts";
import { NameTable } from "./name_table.ts";
import { PATH, pathFrom, type PathFromHere, type PathText } from "./path.ts";
import { Pipes } from "./pipes.ts";
import { MAX_OPEN_FDS, StreamTable } from "./streams.ts";
import { Watchers } from "./watch.ts";

/** What an instance is made with. */
export interface StateOptions {
  /** How permission bits are looked at. Default `"posix"`. */
  permissions?: PermissionMode;
  /** Who calls. Default root with umask 0o022. */
  credentials?: Partial<Credentials>;
  /** The time in ms. Default `Date.now`. */
  clock?: () => number;
  /** Most descriptors at once. Default 4096. */
  maxOpenFds?: number;
  /** Names kept in memory before unheld ones are forgotten. Default 1,048,576. */
  maxNodes?: number;
  /** Memory of a program for its maps; without it, maps are buffers of their own. */
  allocate?: HeapAllocator;
}

/**
 * Gets notice of what happens, as Emscripten's `FS.trackingDelegate` does. All members are
 * optional.
 */
export interface TrackingDelegate {
  /** Before a rename that the checks have let through. */
  willMovePath?(oldPath: string, newPath: string): void;
  /** After a rename. */
  onMovePath?(oldPath: string, newPath: string): void;
  /** Before a name goes that the checks have let go. */
  willDeletePath?(path: string): void;
  /** After a name went. */
  onDeletePath?(path: string): void;
  /** After an open. */
  onOpenFile?(path: string, flags: number): void;
  /** After a read. */
  onReadFile?(path: string, bytesRead: number): void;
  /** After a write. */
  onWriteToFile?(path: string, bytesWritten: number): void;
  /** After a seek. */
  onSeekFile?(path: string, position: number, whence: number): void;
  /** After a close. */
  onCloseFile?(path: string): void;
  /** After a directory was made; the mode has its type bits. */
  onMakeDirectory?(path: string, mode: number): void;
  /** After a symlink. */
  onMakeSymlink?(target: string, path: string): void;
}

const DEFAULT_MAX_NODES = 1 << 20;
/** As many groups as Linux gives one caller. */
const NGROUPS_MAX = 65_536;
const PERMISSION_MODES = ["posix", "emscripten", "none"] as const;

/** The state of one instance. */
export class State {
  /** The root of the namespace; null until something is mounted at "/". */
  root: FSNode | null = null;
  /** The current directory; null until there is a root. */
  directory: FSNode | null = null;
  /** Everything that is mounted, in the order of mounting. */
  readonly mounts: Mount[] = [];
  /** Drivers by device number. */
  readonly devices: Record<number, { stream_ops: StreamOps<never> }> = {};
  /** Below it `createDevice` has no free major number. */
  nextMajor: number = DEVICE_MAJOR_BASE;
  /** The next inode number for nodes made by `createNode`. */
  nextInode = 1;
  /** The next device number of a mount. */
  nextMountDevice = 1;
  /** The hashed names. */
  readonly names: NameTable = new NameTable();
  /** The descriptors. */
  readonly descriptors: StreamTable;
  /** Who calls. Change it with `setCredentials`. */
  credentials: Credentials;
  /** How permission bits are looked at. */
  permissions: PermissionMode;
  /** Switches every permission check off, as Emscripten does before a program's start. */
  ignorePermissions = false;
  /** The time in ms. */
  readonly clock: () => number;
  /** Names kept in memory before unheld ones are forgotten. */
  readonly maxNodes: number;
  /** Byte ranges locked by fcntl: the owner is the instance or an open file description. */
  readonly locks: LockTable<unknown> = new LockTable();
  /** Files locked by flock: the owner is an open file description. */
  readonly fileLocks: LockTable<unknown> = new LockTable();
  /** Descriptors that would be closed by exec, if there were one. */
  readonly closeOnExec: WeakSet<FSStream> = new WeakSet();
  /** Maps of files. */
  readonly maps: FileMaps;
  /** FIFOs that are open. */
  readonly pipes: Pipes = new Pipes();
  /** Who wants to hear of changes. */
  readonly watchers: Watchers = new Watchers();
  /** Emscripten's delegate, or null until it is asked for: then calls begin to report. */
  tracking: TrackingDelegate | null = null;
  /** Paths read so far, if the program put an object here. */
  readFiles: Record<string, number> | null = null;
  /** `syncfs` calls under way. */
  syncFSRequests = 0;
  /** Whether `init` has run. */
  initialized = false;
  /** Types that Emscripten programs look for by name. */
  readonly filesystems: Record<string, Backend<never>> = {};
  /** Text functions on paths. */
  readonly PATH: PathText = PATH;
  /** Text functions on paths that start at the current directory. */
  readonly PATH_FS: PathFromHere;
  /** The error class of the calls. */
  readonly ErrnoError: typeof ErrnoError = ErrnoError;
  /** Emscripten keeps errors here for reuse; ours are made with their message. */
  readonly genericErrors: Record<number, ErrnoError> = {};
  /** The class of names. */
  readonly FSNode: typeof FSNode = FSNode;
  /** The class of descriptors. */
  readonly FSStream: typeof FSStream = FSStream;

  /** An instance without any mount. */
  constructor(options?: StateOptions) {
    const given = optionsOf(options, "options");
    this.credentials = mergeCredentials(
      { uid: 0, gid: 0, groups: [], umask: 0o022 },
      given.credentials ?? {},
    );
    this.permissions = choiceOption(given.permissions, PERMISSION_MODES, "permissions");
    this.clock = functionOption(given.clock, Date.now, "clock");
    this.descriptors = new StreamTable(countOption(given.maxOpenFds, MAX_OPEN_FDS, "maxOpenFds"));
    this.maxNodes = countOption(given.maxNodes, DEFAULT_MAX_NODES, "maxNodes");
    this.maps = new FileMaps(functionOption(given.allocate, undefined, "allocate"));
    this.PATH_FS = pathFrom(() => getPath(this.directory ?? this.root));
  }

  /**
   * The delegate that gets notice of what happens: assign one, or members of the one that is there.
   */
  get trackingDelegate(): TrackingDelegate {
    return this.tracking ??= {};
  }

  /** null: no one. */
  set trackingDelegate(delegate: TrackingDelegate | null) {
    this.tracking = delegate ?? null;
  }

  /** Most descriptors at once. */
  get MAX_OPEN_FDS(): number {
    return this.descriptors.limit;
  }

  /** The streams by descriptor. */
  get streams(): (FSStream | null)[] {
    return this.descriptors.list;
  }

  /** The buckets of the name table. */
  get nameTable(): (FSNode | null)[] {
    return this.names.buckets;
  }

  /** The path of the current directory. */
  get currentPath(): string {
    return getPath(this.directory ?? this.root);
  }

  /** Changes who calls from now on; what is absent stays. EINVAL for what is no id. */
  setCredentials(credentials: Partial<Credentials>): void {
    const merge = () => mergeCredentials(this.credentials, credentials ?? {});
    this.credentials = saidBy("set credentials", merge);
  }

  /** Sets the umask and returns the old one. */
  umask(mask: number): number {
    const before = this.credentials.umask;
    this.credentials = { ...this.credentials, umask: integer(mask, "set the umask") & 0o777 };
    return before;
  }
}

function mergeCredentials(before: Credentials, change: Partial<Credentials>): Credentials {
  const call = "set credentials";
  const groups: readonly number[] = change.groups ?? before.groups;
  if (groups.length > NGROUPS_MAX) refuse("EINVAL", call, groups.length);
  return {
    uid: integer(change.uid ?? before.uid, call),
    gid: integer(change.gid ?? before.gid, call),
    groups: Array.from(groups, (group) => integer(group, call)),
    umask: integer(change.umask ?? before.umask, call) & 0o777,
  };
}

/** The absolute path of a node, across mounts; "/" for none. */
export function getPath(node: FSNode | null): string {
  let path = "";
  let at = node;
  while (at !== null) {
    while (at.parent === at && at.mount.mountpoint !== null) at = at.mount.mountpoint;
    if (at.parent === at) break;
    path = `/${at.name}${path}`;
    at = at.parent;
  }
  return path === "" ? "/" : path;
}
