/**
 * FSNode, FSStream, the op tables and the mount: they define each other, so they live together.
 *
 * Layer: abi. `fs/` owns and links these objects; a backend makes records and unattached nodes and
 * answers op calls. An FSNode is one *name*; the names of one inode share its record, so what is
 * changed through one name is seen through all.
 *
 * A backend is an object with `name` and `mount(options)`, which returns its root as an unattached
 * node. Op tables are built once per mount and kind of node. See `node_ops/memfs.ts` for one.
 *
 * @module
 */
import type { Attr, AttrChange, DirEntry, Owner, StatFs } from "./attr.ts";
import type { RangeLock } from "./locks.ts";
import { S_IFCHR, S_IFDIR, S_IFMT } from "./mode.ts";
import { O_ACCMODE, O_APPEND, O_PATH, O_RDONLY, O_WRONLY } from "./flags.ts";

/** One inode, as all its names share it. Backends extend it with what they need. */
export interface NodeRecord {
  /** Inode number, unique within its mount. */
  readonly ino: number;
  /** File type and permission bits. The path walk reads it on every component. */
  mode: number;
  /** Owner. Permission checks read it on every component. */
  uid: number;
  /** Group. Permission checks read it on every component. */
  gid: number;
  /** Device number of a character or block device, else 0. */
  readonly rdev: number;
}

/** What has been done to an inode, or to an entry of a directory. */
export interface NodeChange {
  /** What happened. */
  type: "create" | "delete" | "modify" | "attrib";
  /** The entry's name, or null for the inode itself. */
  name: string | null;
}

/** A backend's watch over what others do to its files. */
export interface FarWatch {
  /**
   * This instance has done something to the entry itself, and reported it: do not report it again.
   */
  seen(name: string | null): void;
  /** Ends it. */
  close(): void;
}

/** What a backend can do with a name, and with a node. D is the backend's own record. */
export interface NodeOps<D extends NodeRecord = NodeRecord> {
  /** The inode's attributes, as a fresh object. */
  getattr(node: FSNode<D>): Attr;
  /** Changes what `change` has, in one step, and moves ctime. */
  setattr?(node: FSNode<D>, change: AttrChange): void;
  /** The named entry as an unattached node, or null. Directories only. */
  lookup?(parent: FSNode<D>, name: string): FSNode<D> | null;
  /** Is this cached name still true? Asked by the walk; one load while nothing changed. */
  revalidate?(node: FSNode<D>): boolean;
  /** Makes a file, directory or special file. The name is known to be free and valid. */
  mknod?(parent: FSNode<D>, name: string, mode: number, rdev: number, owner: Owner): FSNode<D>;
  /** Makes a file without a name, which goes with its last descriptor unless it may be linked and is. */
  tmpfile?(parent: FSNode<D>, mode: number, owner: Owner, isLinkable: boolean): FSNode<D>;
  /** Makes a symbolic link. */
  symlink?(parent: FSNode<D>, name: string, target: string, owner: Owner): FSNode<D>;
  /** Gives the inode one more name, or its first one. ENOENT if its last one has been removed. */
  link?(node: FSNode<D>, parent: FSNode<D>, name: string): FSNode<D>;
  /** What the symbolic link points to, as it was given. */
  readlink?(node: FSNode<D>): string;
  /** Where a link leads that follows no path, such as /proc/self/fd/3; null to use its text. */
  follow?(node: FSNode<D>): FSNode | null;
  /** Removes a name that is not a directory's. */
  unlink?(parent: FSNode<D>, name: string): void;
  /** Removes an empty directory, else ENOTEMPTY. */
  rmdir?(parent: FSNode<D>, name: string): void;
  /** Moves the name in one step, replacing what is there unless `flags` say otherwise. */
  rename?(node: FSNode<D>, newParent: FSNode<D>, newName: string, flags: number): void;
  /**
   * Entries after cursor `after` (0: from the start), without "." and ".."; none at the end. The caller
   * takes no more than `most` of them now: to give more is allowed, and costs in vain.
   */
  readdir?(node: FSNode<D>, after: number, most?: number): DirEntry[];
  /** Space of the mounted file system. */
  statfs?(node: FSNode<D>): StatFs;
  /**
   * Reports what others do to the inode or to a directory's entries; null if there are no others.
   */
  watch?(node: FSNode<D>, notify: (change: NodeChange) => void): FarWatch | null;
  /** Value of an extended attribute, or null. */
  getxattr?(node: FSNode<D>, name: string): Uint8Array | null;
  /** Sets an extended attribute; `flags` are XATTR_CREATE or XATTR_REPLACE. */
  setxattr?(node: FSNode<D>, name: string, value: Uint8Array, flags: number): void;
  /** Names of the extended attributes. */
  listxattr?(node: FSNode<D>): string[];
  /** Removes an extended attribute; false if it is missing. */
  removexattr?(node: FSNode<D>, name: string): boolean;
}

/** A lock on an open file that users outside this instance heed too. */
export interface FileLock extends Pick<RangeLock, "type" | "start" | "end"> {
  /** Whether it is flock's, on the whole file, or fcntl's on a range. */
  isWhole: boolean;
  /** Whether to wait until it is free. */
  wait: boolean;
}

/** What an append has done. */
export interface Appended {
  /** Where its first byte is: the size that the file had. */
  at: number;
  /** How many bytes it has written; they are the end of the file. */
  count: number;
}

/** What a backend can do with an open node. Argument order is Emscripten's. */
export interface StreamOps<D extends NodeRecord = NodeRecord> {
  /** The description has been made: keep the inode alive. */
  open?(stream: FSStream<D>): void;
  /** The last descriptor of the description is gone. */
  close?(stream: FSStream<D>): void;
  /** Bytes read into `buffer` at `offset`; 0 at the end of the file. */
  read?(
    stream: FSStream<D>,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number;
  /** Bytes written from `buffer` at `offset`; fewer than asked only when the device is full. */
  write?(
    stream: FSStream<D>,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number;
  /** Writes at the end, found where the write happens; fewer bytes only when the device is full. */
  append?(stream: FSStream<D>, buffer: Uint8Array, offset: number, length: number): Appended;
  /** The new position for SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE. Absent: ESPIPE. */
  llseek?(stream: FSStream<D>, offset: number, whence: number): number;
  /** Owns, punches or zeroes a range; `mode` is 0 or FALLOC_FL_*. */
  allocate?(stream: FSStream<D>, mode: number, offset: number, length: number): void;
  /** Copies bytes between two files of its mount; how many, as `VolumeOps.copyRange`. */
  copyRange?(
    source: FSStream<D>,
    at: number,
    target: FSStream<D>,
    to: number,
    length: number,
  ): number;
  /** Makes the inode, its data and the names that lead to it durable. */
  fsync?(stream: FSStream<D>): void;
  /**
   * Takes, changes or gives back a lock of `owner`: an instance, or an open file description. EAGAIN,
   * EDEADLK. Absent: no other instance uses these files, and the instance keeps its locks itself.
   */
  lock?(stream: FSStream<D>, owner: object, lock: FileLock): void;
  /** What is in the way of such a lock, and whether it is one of this instance's owners; or null. */
  testLock?(
    stream: FSStream<D>,
    owner: object,
    lock: FileLock,
  ): (Pick<RangeLock, "type" | "start" | "end"> & { owner: object | null }) | null;
  /** Gives back all that an owner has locked on the file. */
  unlock?(stream: FSStream<D>, owner: object): void;
  /** A device's own calls. Absent: ENOTTY. */
  ioctl?(stream: FSStream<D>, request: number, argument: number): number;
  /** What the stream is ready for, as POLL* bits. Absent: always readable and writable. */
  poll?(stream: FSStream<D>): number;
}

/** One name in one directory. */
export class FSNode<D extends NodeRecord = NodeRecord> {
  /** The directory; the root of a mount is its own parent. */
  parent: FSNode;
  /** The name in it; "/" for a root. */
  name: string;
  /** The inode's record; the names of one inode share it. */
  data: D;
  /** What can be done with it as a name. */
  node_ops: NodeOps<D>;
  /** What can be done with it as an open file. */
  stream_ops: StreamOps<D>;
  /** Where it is mounted. */
  mount: Mount;
  /** What is mounted here, or null. */
  mounted: Mount | null;
  /** Next in the name table's bucket. */
  name_next: FSNode | null;
  /** What holds it in memory: cached children, streams, current directories, mounts. */
  pins: number;
  /** Whether the name has been taken away; only who holds the node still sees the inode. */
  removed: boolean;

  /** An unattached node: `fs/` gives it a parent, a name and a mount. */
  constructor(data: D, nodeOps: NodeOps<D>, streamOps: StreamOps<D>) {
    this.parent = this as unknown as FSNode;
    this.name = "/";
    this.data = data;
    this.node_ops = nodeOps;
    this.stream_ops = streamOps;
    this.mount = NO_MOUNT;
    this.mounted = null;
    this.name_next = null;
    this.pins = 0;
    this.removed = false;
  }

  /** Inode number. */
  get id(): number {
    return this.data.ino;
  }

  /** File type and permission bits. */
  get mode(): number {
    return this.data.mode;
  }

  /** Sets the record's mode only; FS.chmod persists it. */
  set mode(mode: number) {
    this.data.mode = mode;
  }

  /** Device number. */
  get rdev(): number {
    return this.data.rdev;
  }

  /** Whether it is a directory. */
  get isFolder(): boolean {
    return (this.data.mode & S_IFMT) === S_IFDIR;
  }

  /** Whether it is a character device. */
  get isDevice(): boolean {
    return (this.data.mode & S_IFMT) === S_IFCHR;
  }

  /** Whether all users may read and execute it, which is what Emscripten calls so. */
  get read(): boolean {
    return (this.data.mode & READ_BITS) === READ_BITS;
  }

  /** Sets the record's mode only; FS.chmod persists it. */
  set read(may: boolean) {
    this.data.mode = may ? this.data.mode | READ_BITS : this.data.mode & ~READ_BITS;
  }

  /** Whether all users may write it. */
  get write(): boolean {
    return (this.data.mode & WRITE_BITS) === WRITE_BITS;
  }

  /** Sets the record's mode only; FS.chmod persists it. */
  set write(may: boolean) {
    this.data.mode = may ? this.data.mode | WRITE_BITS : this.data.mode & ~WRITE_BITS;
  }
}

/** What Emscripten's `read` and `write` of a node stand for. */
const READ_BITS = 0o555;
const WRITE_BITS = 0o222;

/** One open file description: what descriptors made by dup share. */
export interface OpenFile {
  /** Open flags without those that only open looks at. */
  flags: number;
  /** Where the next read or write goes, in bytes. */
  position: number;
  /** How many descriptors share it. */
  descriptors: number;
}

/** One descriptor. Two descriptors made by dup are two streams with one {@link OpenFile}. */
export class FSStream<D extends NodeRecord = NodeRecord> {
  /** The descriptor, or null once it is closed. */
  fd: number | null;
  /** The open inode, through the name that it was opened by. */
  readonly node: FSNode<D>;
  /** What can be done with it; a device's driver has replaced it where the node is a device. */
  stream_ops: StreamOps<D>;
  /** What dup shares. */
  readonly shared: OpenFile;
  /** The absolute path at the time of open. */
  path: string;
  /** Whether it has a position. */
  seekable: boolean;

  /** A stream without a descriptor. */
  constructor(node: FSNode<D>, shared: OpenFile, path: string) {
    this.fd = null;
    this.node = node;
    this.stream_ops = node.stream_ops;
    this.shared = shared;
    this.path = path;
    this.seekable = true;
  }

  /** Emscripten's older name for the node. */
  get object(): FSNode<D> {
    return this.node;
  }

  /** Open flags. */
  get flags(): number {
    return this.shared.flags;
  }

  /** Sets the flags of every descriptor of this description. */
  set flags(flags: number) {
    this.shared.flags = flags;
  }

  /** Where the next read or write goes, in bytes. */
  get position(): number {
    return this.shared.position;
  }

  /** Moves every descriptor of this description. */
  set position(position: number) {
    this.shared.position = position;
  }

  /** Whether it was opened for reading. */
  get isRead(): boolean {
    return (this.shared.flags & (O_ACCMODE | O_PATH)) !== O_WRONLY &&
      (this.shared.flags & O_PATH) === 0;
  }

  /** Whether it was opened for writing. */
  get isWrite(): boolean {
    return (this.shared.flags & O_ACCMODE) !== O_RDONLY && (this.shared.flags & O_PATH) === 0;
  }

  /** Whether every write goes to the end. */
  get isAppend(): boolean {
    return (this.shared.flags & O_APPEND) !== 0;
  }
}

/** A mounted file system. */
export interface Mount {
  /** st_dev; inode numbers are unique within it. */
  readonly dev: number;
  /** Its root. */
  readonly root: FSNode;
  /** The directory that it covers; null for the root mount. */
  readonly mountpoint: FSNode | null;
  /** Whether every change answers EROFS. */
  readonly readOnly: boolean;
  /** The kind of file system. */
  readonly type: Backend<never>;
  /** What FS.mount was given. */
  readonly opts: unknown;
}

/** A kind of file system that can be mounted. */
export interface Backend<O, D extends NodeRecord = NodeRecord> {
  /** Its name, such as `"MEMFS"`. */
  readonly name: string;
  /** Makes the root as an unattached node. */
  mount(options: O): FSNode<D>;
  /** Lets go of what mount took. */
  unmount?(root: FSNode<D>): void;
  /** Makes everything durable. */
  syncfs?(root: FSNode<D>): void;
}

/** The mount of a node that is not attached yet. Touching its root is a mistake. */
const NO_MOUNT: Mount = {
  dev: 0,
  get root(): FSNode {
    throw new TypeError("an unattached node has no mount");
  },
  mountpoint: null,
  readOnly: true,
  type: {
    name: "none",
    mount(): FSNode {
      throw new TypeError("an unattached node has no mount");
    },
  },
  opts: undefined,
};
