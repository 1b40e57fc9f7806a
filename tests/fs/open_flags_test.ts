/** The open-flag table: every combination of flags on every kind of file, by root and by a user. */
import { assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import {
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_SYNC,
  O_TRUNC,
  O_WRONLY,
} from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";

const BITS = [
  O_CREAT,
  O_EXCL,
  O_TRUNC,
  O_APPEND,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_SYNC,
];
const NAMES = ["CREAT", "EXCL", "TRUNC", "APPEND", "DIRECTORY", "NOFOLLOW", "NONBLOCK", "SYNC"];

/** What is at the path, and what is known of it, written down by hand. */
interface Kind {
  make(fs: FS): void;
  /** What the last name itself is. */
  type: "none" | "file" | "dir" | "link" | "fifo" | "socket" | "block" | "char";
  /** What it leads to, if it is a link. */
  target?: Kind["type"];
  /** May a user who owns nothing read and write what is opened. Default both. */
  userMay?: "read" | "write" | "nothing";
  /** No driver answers. */
  noDriver?: boolean;
}

const KINDS: Record<string, Kind> = {
  missing: { type: "none", make: () => {} },
  file: {
    type: "file",
    make: (fs) => {
      fs.writeFile("/t/x", "hello");
      fs.chmod("/t/x", 0o666);
    },
  },
  "file that is read-only": {
    type: "file",
    userMay: "read",
    make: (fs) => {
      fs.writeFile("/t/x", "hello");
      fs.chmod("/t/x", 0o444);
    },
  },
  "file of nobody": {
    type: "file",
    userMay: "nothing",
    make: (fs) => {
      fs.writeFile("/t/x", "hello");
      fs.chmod("/t/x", 0);
    },
  },
  "file that is write-only": {
    type: "file",
    userMay: "write",
    make: (fs) => {
      fs.writeFile("/t/x", "hello");
      fs.chmod("/t/x", 0o222);
    },
  },
  directory: {
    type: "dir",
    make: (fs) => {
      fs.mkdir("/t/x");
      fs.chmod("/t/x", 0o777);
    },
  },
  "link to a file": {
    type: "link",
    target: "file",
    make: (fs) => {
      fs.writeFile("/t/real", "hello");
      fs.chmod("/t/real", 0o666);
      fs.symlink("real", "/t/x");
    },
  },
  "link to a directory": {
    type: "link",
    target: "dir",
    make: (fs) => {
      fs.mkdir("/t/real");
      fs.chmod("/t/real", 0o777);
      fs.symlink("real", "/t/x");
    },
  },
  "link to nothing": {
    type: "link",
    target: "none",
    make: (fs) => void fs.symlink("real", "/t/x"),
  },
  fifo: {
    type: "fifo",
    make: (fs) => {
      fs.mknod("/t/x", 0o010666, 0);
      fs.chmod("/t/x", 0o666);
    },
  },
  socket: {
    type: "socket",
    make: (fs) => {
      fs.mknod("/t/x", 0o140666, 0);
      fs.chmod("/t/x", 0o666);
    },
  },
  "block device": {
    type: "block",
    make: (fs) => {
      fs.mknod("/t/x", 0o060666, 5);
      fs.chmod("/t/x", 0o666);
    },
  },
  "device with a driver": {
    type: "char",
    make: (fs) => {
      fs.mknod("/t/x", 0o020666, fs.makedev(1, 3));
      fs.chmod("/t/x", 0o666);
    },
  },
  "device without a driver": {
    type: "char",
    noDriver: true,
    make: (fs) => {
      fs.mknod("/t/x", 0o020666, fs.makedev(200, 3));
      fs.chmod("/t/x", 0o666);
    },
  },
};

/** What open(2) of Linux says, once more in the words of its manual: an error name or "ok". */
function expected(kind: Kind, flags: number, isRoot: boolean): string {
  const has = (bit: number) => (flags & bit) === bit;
  const access = flags & 3;
  if (has(O_CREAT) && has(O_DIRECTORY)) return "EINVAL";
  if (has(O_CREAT) && has(O_EXCL)) return kind.type === "none" ? "ok" : "EEXIST";
  const isStopped = kind.type === "link" && has(O_NOFOLLOW);
  if (isStopped) return has(O_DIRECTORY) ? "ENOTDIR" : "ELOOP";
  const type = kind.type === "link" ? kind.target as Kind["type"] : kind.type;
  if (type === "none") return has(O_CREAT) ? "ok" : "ENOENT";
  if (type === "dir") {
    return access !== O_RDONLY || has(O_TRUNC) || has(O_CREAT) ? "EISDIR" : "ok";
  }
  if (has(O_DIRECTORY)) return "ENOTDIR";
  if (!isRoot) {
    const reads = access !== O_WRONLY;
    const writes = access !== O_RDONLY || has(O_TRUNC);
    const { userMay = "both" } = kind;
    if (reads && (userMay === "write" || userMay === "nothing")) return "EACCES";
    if (writes && (userMay === "read" || userMay === "nothing")) return "EACCES";
  }
  if (type === "socket" || type === "block" || kind.noDriver) return "ENXIO";
  if (type === "fifo" && access === O_WRONLY && has(O_NONBLOCK)) return "ENXIO";
  return "ok";
}

function describe(name: string, flags: number, isRoot: boolean): string {
  const set = NAMES.filter((_name, index) => (flags & BITS[index]!) === BITS[index]);
  return `${["RDONLY", "WRONLY", "RDWR"][flags & 3]} ${set.join("|")} on ${name} by ${
    isRoot ? "root" : "a user"
  }`;
}

function attempt(fs: FS, kind: Kind, flags: number): { outcome: string; check: string[] } {
  try {
    const stream = fs.open("/t/x", flags, 0o640);
    const check = effects(fs, kind, flags);
    fs.close(stream);
    return { outcome: "ok", check };
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    return { outcome: error.code, check: [] };
  }
}

/** What is wrong with what a successful open has done. */
function effects(fs: FS, kind: Kind, flags: number): string[] {
  const wrong: string[] = [];
  const stream = fs.getStream(0);
  if (stream === null) return ["the lowest descriptor was not taken"];
  const { mode, size } = fs.fstat(0);
  const isNew = kind.type === "none" || kind.target === "none";
  if ((mode & 0o170000) === 0o100000) {
    if (size !== (isNew || flags & O_TRUNC ? 0 : 5)) wrong.push(`size ${size}`);
    if (isNew && (mode & 0o777) !== 0o640) wrong.push(`mode 0${mode.toString(8)}`);
  }
  if (stream.isRead !== ((flags & 3) !== O_WRONLY)) wrong.push("isRead");
  if (stream.isWrite !== ((flags & 3) !== O_RDONLY)) wrong.push("isWrite");
  if (stream.isAppend !== ((flags & O_APPEND) !== 0)) wrong.push("isAppend");
  if (stream.flags & (O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW)) wrong.push("flags kept");
  return wrong;
}

for (const [name, kind] of Object.entries(KINDS)) {
  Deno.test(`FS.open() with every combination of flags: ${name}`, () => {
    const wrong: string[] = [];
    for (const isRoot of [true, false]) {
      for (const access of [O_RDONLY, O_WRONLY, O_RDWR]) {
        for (let set = 0; set < 1 << BITS.length; set++) {
          const flags = BITS.reduce(
            (all, bit, index) => set >> index & 1 ? all | bit : all,
            access,
          );
          const fs = prepared(kind, isRoot);
          const { outcome, check } = attempt(fs, kind, flags);
          const wanted = expected(kind, flags, isRoot);
          const said = describe(name, flags, isRoot);
          if (outcome !== wanted) wrong.push(`${said}: ${outcome}, expected ${wanted}`);
          for (const fault of check) wrong.push(`${said}: ${fault}`);
        }
      }
    }
    assertEquals(wrong, []);
  });
}

function prepared(kind: Kind, isRoot: boolean): FS {
  const fs = createFS();
  fs.mkdir("/t");
  fs.chmod("/t", 0o777);
  kind.make(fs);
  if (!isRoot) fs.setCredentials({ uid: 1000, gid: 1000, groups: [] });
  return fs;
}

Deno.test("FS.open() without an access mode is EINVAL", () => {
  const fs = createFS();
  fs.writeFile("/x", "");
  assertEquals(attemptAt(fs, 3), "EINVAL");
  assertEquals(attemptAt(fs, 1.5), "EINVAL");
});

function attemptAt(fs: FS, flags: number): string {
  try {
    fs.open("/x", flags);
    return "ok";
  } catch (error) {
    return isErrnoError(error) ? error.code : String(error);
  }
}
