/**
 * What a backend does not do yet, and what will make it do so.
 *
 * A pending case must fail while it stands here: the runner says so when one passes, and then its
 * row goes.
 *
 * @module
 */

/** Cases that a backend fails for one reason. */
export interface Pending {
  /** Names of rows in `tests/support/backends.ts`. */
  backends: readonly string[];
  /** Names of conformance cases. */
  cases: readonly string[];
  /** What is missing, and what will bring it. */
  why: string;
}

const PROXIES = ["PROXYFS", "HOSTFS"];

/** Everything that is pending. */
export const PENDING: readonly Pending[] = [
  {
    backends: PROXIES,
    cases: ["open() with O_TMPFILE makes a file without a name, which link gives one"],
    why: "PathCalls has no way to make an inode without a name",
  },
  {
    backends: PROXIES,
    cases: ["llseek() tells holes of a sparse file by the page"],
    why: "PathCalls does not tell holes",
  },
  {
    backends: PROXIES,
    cases: [
      "allocate() owns a range and makes the file as long",
      "fallocate() with KEEP_SIZE owns without a change of size",
      "fallocate() with PUNCH_HOLE zeroes a range and gives whole blocks back",
      "fallocate() with ZERO_RANGE zeroes and stays owned",
    ],
    why: "PathCalls neither allocates nor punches",
  },
  {
    backends: ["PROXYFS"],
    cases: ["fallocate() refuses what makes no sense, and ENOSPC changes nothing"],
    why: "PathCalls neither allocates nor punches",
  },
  {
    backends: ["PROXYFS"],
    cases: ["setxattr() keeps values on files and directories"],
    why: "PathCalls has no extended attributes",
  },
  {
    backends: PROXIES,
    cases: [
      "setxattr() heeds XATTR_CREATE and XATTR_REPLACE",
      "getxattr() and removexattr() of what is not there are ENODATA",
    ],
    why: "PathCalls has no extended attributes",
  },
  {
    backends: PROXIES,
    cases: [
      "rename() with RENAME_EXCHANGE swaps a file and a directory",
      "utimens() follows a link, lutimens() does not",
      "futimens() reaches a file without a name",
    ],
    why: "PathCalls.rename has no flags, and utime only a path that is followed",
  },
  {
    backends: PROXIES,
    cases: [
      "/proc/self/fd lists descriptors, and its links lead to files without a name",
    ],
    why: "PathCalls opens by path, so what has no name is opened once only",
  },
  {
    backends: ["HOSTFS"],
    cases: [
      "open() of a socket, or of a device without a driver, is ENXIO",
      "open() of a character device finds its driver in any backend",
      "open() of a FIFO to write without waiting is ENXIO while nobody reads",
      "llseek() of a FIFO is ESPIPE",
      "stat() keeps everything over a remount",
      "stat() of every kind tells the kind",
      "unlink() of a link removes the link",
      "link() to a symbolic link and to special files names those",
      "truncate() is EISDIR on a directory, EINVAL on a FIFO, ENOENT on nothing",
      "mknod() makes FIFOs, sockets and devices with mode and number",
      "mknod() of a device is for root, of a FIFO for everybody",
      "a FIFO carries bytes from its writer to its reader",
    ],
    why: "the host's files can be reached without a way to make special ones",
  },
  {
    backends: ["HOSTFS"],
    cases: [
      "stat() shows times in ns that agree with ms",
      "utimens() keeps times before 1970 and after 2038",
      "readdir() keeps the order in which names were made",
    ],
    why: "order and precision of times are the host's",
  },
];

/** Why a case is pending on a backend, or null. */
export function pendingReason(backend: string, test: string): string | null {
  const row = PENDING.find((row) => row.backends.includes(backend) && row.cases.includes(test));
  return row?.why ?? null;
}
