/**
 * Every call of FS, at a small size and at four times that: a row is work that takes `count` steps in a
 * world that has `count` of everything, so the cost of a step that looks at all of them shows as 16.
 * Each row leaves the world as it was. Layer: tests, over `world.ts`.
 */
import { F_GETLK, F_RDLCK, F_SETLK, F_UNLCK, F_WRLCK, LOCK_SH, LOCK_UN } from "../../abi/flags.ts";
import { MAP_SHARED, O_CREAT, O_RDWR, S_IFIFO } from "../../abi/mod.ts";
import type { FSNode } from "../../abi/node.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import type { World } from "./world.ts";

/** Work on a world. */
export interface Row {
  /** The calls that it is about. */
  readonly calls: readonly string[];
  /** One step of it, for rows that are a loop. */
  readonly step?: (world: World, index: number) => unknown;
  /** The whole, for rows about one large thing. */
  readonly whole?: (world: World) => unknown;
}

const AT_FDCWD = -100;
const one = new Uint8Array(1);
const into = new Uint8Array(8);

function each(calls: string, step: (world: World, index: number) => unknown): Row {
  return { calls: calls.split(" "), step };
}

function whole(calls: string, work: (world: World) => unknown): Row {
  return { calls: calls.split(" "), whole: work };
}

/** A node of the world. */
function node({ fs, path }: World, index: number): FSNode {
  return fs.lookupPath(path(index)).node!;
}

function parent({ fs }: World): FSNode {
  return fs.lookupPath("/d").node!;
}

const NAMES: readonly Row[] = [
  each("stat", ({ fs, path }, i) => fs.stat(path(i))),
  each("lstat readlink", ({ fs }, i) => [fs.lstat(`/l/s${i}`), fs.readlink(`/l/s${i}`)]),
  each("realpath", ({ fs }, i) => fs.realpath(`/l/s${i}`)),
  each(
    "access faccessat",
    (w, i) => [w.fs.access(w.path(i), 4), w.fs.faccessat(AT_FDCWD, w.path(i), 4)],
  ),
  each("chmod lchmod", ({ fs, path }, i) => [fs.chmod(path(i), 0o644), fs.lchmod(path(i), 0o644)]),
  each("chown lchown", ({ fs, path }, i) => [fs.chown(path(i), 0, 0), fs.lchown(path(i), 0, 0)]),
  each("utime utimens lutimens", ({ fs, path }, i) => {
    fs.utime(path(i), 1, 1);
    fs.utimens(path(i), [1, 0], [1, 0]);
    fs.lutimens(path(i), [1, 0], [1, 0]);
  }),
  each("truncate", ({ fs, path }, i) => fs.truncate(path(i), 1)),
  each("statfs statfsNode", (w, i) => [w.fs.statfs(w.path(i)), w.fs.statfsNode(node(w, i))]),
  each("getxattr setxattr removexattr", ({ fs }, i) => {
    fs.getxattr("/many", `user.a${i}`);
    fs.removexattr("/many", `user.a${i}`);
    fs.setxattr("/many", `user.a${i}`, one);
  }),
  whole("listxattr", ({ fs }) => fs.listxattr("/many")),
  each("create unlink", ({ fs }) => (fs.create("/d/new"), fs.unlink("/d/new"))),
  each("mknod", ({ fs }) => (fs.mknod("/d/new", S_IFIFO | 0o644, 0), fs.unlink("/d/new"))),
  each("mkdev", ({ fs }) => (fs.mkdev("/d/new", 0o644, 259), fs.unlink("/d/new"))),
  each("mkdir rmdir", ({ fs }) => (fs.mkdir("/d/new"), fs.rmdir("/d/new"))),
  each("symlink", ({ fs }) => (fs.symlink("x", "/d/new"), fs.unlink("/d/new"))),
  each("link", ({ fs, path }, i) => (fs.link(path(i), "/d/new"), fs.unlink("/d/new"))),
  each("rename", ({ fs, path }, i) => (fs.rename(path(i), "/d/new"), fs.rename("/d/new", path(i)))),
  each("chdir cwd", ({ fs }) => (fs.chdir("/d"), fs.cwd(), fs.chdir("/"))),
  whole("readdir", ({ fs }) => fs.readdir("/d")),
  whole("getdents", ({ fs, directory }) => {
    fs.llseek(directory, 0, 0);
    while (fs.getdents(directory, 8).length > 0);
  }),
  each("mount unmount isMountpoint isRoot", (w) => {
    w.fs.mount(MEMFS, {}, "/spare");
    w.fs.isMountpoint(w.fs.lookupPath("/spare").node!);
    w.fs.isRoot(parent(w));
    w.fs.unmount("/spare");
  }),
  whole("getMounts", ({ fs }) => fs.getMounts(fs.root!.mount)),
  whole("sync", ({ fs }) => fs.sync()),
  whole("syncfs", ({ fs }) => fs.syncfs(false, () => {})),
  each("watch", ({ fs, path }, i) => fs.watch(path(i), () => {}).close()),
];

const AT_CALLS: readonly Row[] = [
  each("openat close", ({ fs, path }, i) => fs.close(fs.openat(AT_FDCWD, path(i), 0))),
  each("fstatat", ({ fs, path }, i) => fs.fstatat(AT_FDCWD, path(i))),
  each("mkdirat unlinkat", ({ fs, directory }) => {
    fs.mkdirat(directory, "new");
    fs.unlinkat(directory, "new", 0x200);
  }),
  each("mknodat", ({ fs, directory }) => {
    fs.mknodat(directory, "new", S_IFIFO | 0o644, 0);
    fs.unlinkat(directory, "new");
  }),
  each("renameat", ({ fs, directory }, i) => {
    fs.renameat(directory, `f${i}`, directory, "new");
    fs.renameat(directory, "new", directory, `f${i}`);
  }),
  each("linkat", ({ fs, directory }, i) => {
    fs.linkat(directory, `f${i}`, directory, "new");
    fs.unlinkat(directory, "new");
  }),
  each("symlinkat readlinkat", ({ fs, directory }) => {
    fs.symlinkat("x", directory, "new");
    fs.readlinkat(directory, "new");
    fs.unlinkat(directory, "new");
  }),
  each("fchmodat", ({ fs, directory }, i) => fs.fchmodat(directory, `f${i}`, 0o644)),
  each("fchownat", ({ fs, directory }, i) => fs.fchownat(directory, `f${i}`, 0, 0)),
  each("utimensat", ({ fs, directory }, i) => fs.utimensat(directory, `f${i}`, [1, 0], [1, 0])),
];

const STREAMS: readonly Row[] = [
  each("open", ({ fs, path }, i) => fs.close(fs.open(path(i), 0))),
  each("reopen", ({ fs, streams }, i) => fs.close(fs.reopen(streams[i]!.fd!, 0))),
  each("dup", ({ fs, streams }, i) => fs.close(fs.dup(streams[i]!))),
  each("dup2 dup3", ({ fs, streams, count }, i) => {
    fs.dup2(streams[i]!, count + 50);
    fs.close(fs.dup3(streams[i]!, count + 50, 0));
  }),
  each("dupStream closeStream", ({ fs, streams }, i) => fs.close(fs.dupStream(streams[i]!))),
  each("read write llseek", ({ fs, streams }, i) => {
    fs.write(streams[i]!, one, 0, 1, 0);
    fs.read(streams[i]!, into, 0, 1, 0);
    fs.llseek(streams[i]!, 0, 0);
  }),
  each(
    "fsync fdatasync",
    ({ fs, streams }, i) => (fs.fsync(streams[i]!), fs.fdatasync(streams[i]!)),
  ),
  each("fstat statfsStream", ({ fs, streams }, i) => {
    fs.fstat(streams[i]!.fd!);
    fs.statfsStream(streams[i]!);
  }),
  each("fchmod fchown futimens ftruncate", ({ fs, streams }, i) => {
    const fd = streams[i]!.fd!;
    fs.fchmod(fd, 0o644);
    fs.fchown(fd, 0, 0);
    fs.futimens(fd, [1, 0], [1, 0]);
    fs.ftruncate(fd, 16);
  }),
  each("fchdir", ({ fs, directory }) => (fs.fchdir(directory), fs.chdir("/"))),
  each("getFlags setFlags isClosed", ({ fs, streams }, i) => {
    fs.setFlags(streams[i]!.fd!, fs.getFlags(streams[i]!.fd!));
    fs.isClosed(streams[i]!);
  }),
  each("getStream getStreamChecked nextfd", ({ fs, streams }, i) => {
    fs.getStream(streams[i]!.fd!);
    fs.getStreamChecked(streams[i]!.fd!);
    fs.nextfd();
  }),
  each(
    "flock",
    ({ fs, streams }, i) => (fs.flock(streams[i]!, LOCK_SH), fs.flock(streams[i]!, LOCK_UN)),
  ),
  whole("fcntl", ({ fs, streams, count }) => {
    // A process's own locks, below the others, and asked about, changed and given back.
    const set = (type: number, i: number) => {
      fs.fcntl(streams[0]!, F_SETLK, { type, whence: 0, start: 1e6 + i * 2, len: 1 });
    };
    for (let i = 0; i < count; i++) set(F_WRLCK, i);
    for (let i = 0; i < count; i++) set(F_RDLCK, i);
    for (let i = 0; i < count; i++) {
      fs.fcntl(streams[i]!, F_GETLK, { type: F_WRLCK, whence: 0, start: 1e6 + i * 2, len: 1 });
    }
    for (let i = 0; i < count; i++) set(F_UNLCK, i);
  }),
  each("poll", ({ fs, streams }, i) => fs.poll([{ fd: streams[i]!.fd!, events: 1, revents: 0 }])),
  whole(
    "poll",
    ({ fs, streams }) =>
      fs.poll(streams.map((stream) => ({ fd: stream.fd!, events: 1, revents: 0 }))),
  ),
  each("pipe", ({ fs }) => fs.pipe().forEach((stream) => fs.close(stream))),
  each("allocate fallocate", ({ fs, streams }, i) => {
    fs.allocate(streams[i]!, 0, 16);
    fs.fallocate(streams[i]!, 1, 0, 16);
  }),
  each("copy_file_range", ({ fs, streams }, i) => {
    fs.copy_file_range(streams[i]!, 0, streams[i]!, 32, 16);
  }),
  each("mmap msync munmap", ({ fs, streams }, i) => {
    const map = fs.mmap(streams[i]!, 16, 0, 3, MAP_SHARED);
    fs.msync(streams[i]!, map.bytes!, 0, 16, MAP_SHARED);
    fs.munmap(map);
  }),
];

const WHOLE: readonly Row[] = [
  whole("writeFile readFile", ({ fs, count }) => {
    fs.writeFile("/spare/file", new Uint8Array(count * 1000));
    fs.readFile("/spare/file");
    fs.unlink("/spare/file");
  }),
  whole("writeFile read", ({ fs, count }) => {
    const stream = fs.open("/spare/file", O_RDWR | O_CREAT);
    for (let i = 0; i < count; i++) fs.write(stream, into, 0, 8);
    for (let i = 0; i < count; i++) fs.read(stream, into, 0, 8, (i * 7919 % count) * 8);
    fs.close(stream);
    fs.unlink("/spare/file");
  }),
  whole("rmTree", ({ fs, count }) => {
    fs.mkdir("/spare/tree");
    for (let i = 0; i < count; i++) fs.writeFile(`/spare/tree/${i}`, "");
    fs.rmTree("/spare/tree");
  }),
  whole("rmTree chdir", ({ fs, count }) => {
    fs.mkdir("/spare/deep");
    fs.chdir("/spare/deep");
    for (let i = 0; i < count; i++) (fs.mkdir("d"), fs.chdir("d"));
    fs.chdir("/");
    fs.rmTree("/spare/deep");
  }),
  whole("mkdirTree", ({ fs, count }) => {
    // As deep as the path of the larger world may be.
    fs.mkdirTree("/spare" + "/d".repeat(Math.min(count, 2000)));
    fs.rmTree("/spare/d");
  }),
  whole("createPath", ({ fs, count }) => {
    fs.createPath("/spare", "d/".repeat(Math.min(count, 2000)));
    fs.rmTree("/spare/d");
  }),
];

const MAKERS: readonly Row[] = [
  each("createFile createDataFile", ({ fs }) => {
    fs.createFile("/d", "new");
    fs.unlink("/d/new");
    fs.createDataFile("/d", "new", one);
    fs.unlink("/d/new");
  }),
  each("createDevice makedev major minor registerDevice getDevice", ({ fs }) => {
    fs.createDevice("/spare", "dev", () => null);
    fs.unlink("/spare/dev");
    fs.getDevice(fs.makedev(fs.major(259), fs.minor(259)));
  }),
  each("createLazyFile forceLoadFile", ({ fs }) => {
    const made = fs.createLazyFile("/spare", "lazy", "data:,x", true, true);
    fs.isFile(made.data.mode);
    fs.unlink("/spare/lazy");
  }),
];

const LEGACY: readonly Row[] = [
  each("analyzePath findObject getPath", (w, i) => {
    w.fs.analyzePath(w.path(i));
    w.fs.getPath(w.fs.findObject(w.path(i))!);
  }),
  each("lookupPath lookup lookupNode", (w, i) => {
    w.fs.lookup(parent(w), `f${i}`);
    w.fs.lookupNode(parent(w), `f${i}`);
  }),
  each("hashName hashAddNode hashRemoveNode", (w, i) => {
    w.fs.hashName(1, `f${i}`);
    const found = node(w, i);
    w.fs.hashRemoveNode(found);
    w.fs.hashAddNode(found);
  }),
  each("nodePermissions mayLookup mayCreate mayDelete mayOpen", (w, i) => {
    w.fs.nodePermissions(node(w, i), "r");
    w.fs.mayLookup(parent(w));
    w.fs.mayCreate(parent(w), "new");
    w.fs.mayDelete(parent(w), `f${i}`, false);
    w.fs.mayOpen(node(w, i), 0);
  }),
];

/** All rows. */
export const ROWS: readonly Row[] = [
  ...NAMES,
  ...AT_CALLS,
  ...STREAMS,
  ...WHOLE,
  ...MAKERS,
  ...LEGACY,
];

/** Calls without a row, and why. */
export const WITHOUT: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["isFile", "isDir", "isLink", "isChrdev", "isBlkdev", "isFIFO", "isSocket", "getMode"].map((
      name,
    ) => [name, "arithmetic on a number"]),
  ),
  flagsToPermissionString: "arithmetic on a number",
  checkOpExists: "looks at one operation",
  createNode: "makes an object and keeps nothing",
  destroyNode: "as hashRemoveNode, which it calls",
  createStream: "as open, which it stands below",
  ioctl: "passed to one device",
  umask: "one number",
  setCredentials: "one record",
  createDefaultDirectories: "once in the life of an instance",
  createDefaultDevices: "once in the life of an instance",
  createSpecialDirectories: "once in the life of an instance",
  createStandardStreams: "once in the life of an instance",
  init: "once in the life of an instance",
  quit: "once in the life of an instance; a test of its own",
  createPreloadedFile: "waits; createDataFile is what it does then",
  preloadFile: "waits; createDataFile is what it does then",
};
