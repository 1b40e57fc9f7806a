/**
 * Calls whose errors depend on the order of the checks: a tree, and every call on every place in it,
 * by root and by another user. `errno_order_test.ts` asks Linux and FS, and compares.
 *
 * A line is a call and its arguments with blanks between them, numbers in decimal; "@" is the empty
 * path. The tree leaves out what settings of a kernel decide: links and foreign files to be opened
 * by O_CREAT in a sticky directory, links to files that the caller may not write.
 *
 * @module
 */
import {
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
} from "../../abi/flags.ts";
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFREG, S_IFSOCK } from "../../abi/mode.ts";

/** A user without privileges. */
export const USER = 1000;

const file = (path: string, mode = 0o644): string => `mknod ${path} ${S_IFREG | mode} 0`;
const directory = (path: string, mode = 0o755): string => `mkdir ${path} ${mode}`;
const owned = (path: string): string => `lchown ${path} ${USER} ${USER}`;

/** The calls that make the tree, all by root. */
export const TREE: readonly string[] = [
  file("/f"),
  directory("/d"),
  file("/d/f"),
  directory("/d/e"),
  // Whatever the caller wants.
  directory("/o"),
  file("/o/f"),
  directory("/o/e"),
  directory("/o/n"),
  file("/o/n/f"),
  "symlink f /o/l",
  "symlink e /o/le",
  "symlink none /o/dangling",
  "symlink none/below /o/astray",
  "symlink e/none/ /o/slashed",
  "symlink loop /o/loop",
  "symlink /x/f /o/lx",
  ...["/o", "/o/f", "/o/e", "/o/n", "/o/n/f", "/o/l"].map(owned),
  file("/o/foreign", 0o600),
  directory("/o/locked", 0o755),
  // No other user may search it.
  directory("/x", 0o700),
  file("/x/f"),
  directory("/x/e"),
  // No other user may change it, nor may its owner.
  directory("/r", 0o555),
  file("/r/f", 0o444),
  directory("/r/e", 0o755),
  ...["/r", "/r/f", "/r/e"].map(owned),
  // Every user may write, the owner removes.
  directory("/s"),
  `chmod /s ${0o1777}`,
  directory("/s/e"),
  directory("/s/n", 0o777),
  file("/s/n/f"),
  file("/s/f", 0o666),
  file("/s/mine"),
  directory("/s/my"),
  ...["/s/mine", "/s/my"].map(owned),
  `mknod /o/fifo ${S_IFIFO | 0o666} 0`,
  `mknod /o/socket ${S_IFSOCK | 0o666} 0`,
];

const LONG = "n".repeat(255);

/** Places to look at. */
const PLACES: readonly string[] = [
  ...["@", "/", "//", ".", "..", "/.", "/..", "./", "../"],
  ...["/f", "/f/", "/f/.", "/f/..", "/f/none", "/f/none/"],
  ...["/d", "/d/", "/d/.", "/d/..", "/d/f", "/d/f/", "/d/e", "/d/e/", "/d/e/.", "/d/e/.."],
  ...["/d/none", "/d/none/", "/d/none/.", "/d/none/..", "/d/none/below"],
  ...["/o/f", "/o/f/", "/o/e", "/o/e/", "/o/n", "/o/n/", "/o/n/..", "/o/none", "/o/none/"],
  ...["/o/l", "/o/l/", "/o/l/below", "/o/le", "/o/le/", "/o/le/.", "/o/le/..", "/o/le/none"],
  ...["/o/dangling", "/o/dangling/", "/o/dangling/below", "/o/astray", "/o/astray/"],
  ...["/o/slashed", "/o/slashed/", "/o/loop", "/o/loop/", "/o/loop/below", "/o/lx", "/o/lx/"],
  ...["/o/foreign", "/o/foreign/", "/o/locked", "/o/locked/"],
  ...["/x/f", "/x/f/", "/x/none", "/x/none/", "/x/e", "/x/e/", "/x/.", "/x/.."],
  ...["/r/f", "/r/f/", "/r/none", "/r/none/", "/r/e", "/r/e/", "/r/e/."],
  ...["/s/f", "/s/f/", "/s/e", "/s/e/", "/s/n", "/s/mine", "/s/mine/", "/s/my", "/s/my/"],
  ...["/s/none", "/s/none/", "/o/fifo", "/o/fifo/", "/o/socket"],
  ...[`/o/${LONG}`, `/o/${LONG}n`, `/o/${LONG}n/`, `/x/${LONG}n`, `/f/${LONG}n`, `/r/${LONG}n`],
  `/o/none/${LONG}n`,
  `/${"./".repeat(2047)}`,
  `/${"./".repeat(2047)}.`,
];

/** Calls on one place; "%" is the place. */
const CALLS: readonly string[] = [
  "stat %",
  "lstat %",
  "readlink %",
  "rmdir %",
  "unlink %",
  `mkdir % ${0o755}`,
  `mknod % ${S_IFREG | 0o644} 0`,
  `mknod % ${S_IFIFO | 0o644} 0`,
  `mknod % ${S_IFSOCK | 0o644} 0`,
  `mknod % ${S_IFCHR | 0o644} 259`,
  `mknod % ${S_IFBLK | 0o644} 259`,
  "mknod % 4096000 0",
  "symlink anything %",
  "symlink @ %",
  "truncate % 0",
  "truncate % -1",
  `chmod % ${0o600}`,
  `chown % ${USER} ${USER}`,
  `lchown % 0 0`,
  "utimens %",
  "access % 0",
  "access % 2",
  "access % 4",
  "access % 1",
  "access % 8",
  "chdir %",
];

/** Flags of open. Without O_NONBLOCK a FIFO would wait. */
const FLAGS: readonly number[] = [
  0,
  O_WRONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY | O_TRUNC,
  O_DIRECTORY,
  O_DIRECTORY | O_WRONLY,
  O_DIRECTORY | O_TRUNC,
  O_NOFOLLOW,
  O_NOFOLLOW | O_DIRECTORY,
  O_PATH,
  O_PATH | O_NOFOLLOW,
  O_PATH | O_DIRECTORY,
  O_PATH | O_CREAT | O_EXCL,
  O_PATH | O_NOFOLLOW | O_DIRECTORY,
  O_CREAT,
  O_CREAT | O_WRONLY,
  O_CREAT | O_RDWR | O_TRUNC,
  O_CREAT | O_EXCL,
  O_CREAT | O_EXCL | O_WRONLY,
  O_CREAT | O_EXCL | O_NOFOLLOW,
  O_CREAT | O_NOFOLLOW,
  O_CREAT | O_NOFOLLOW | O_WRONLY,
  O_EXCL,
  O_TMPFILE | O_RDWR,
  O_TMPFILE,
  O_TMPFILE | O_RDWR | O_EXCL,
  O_TMPFILE | O_RDWR | O_CREAT,
];

/** What `link` may give a name without asking the kernel's settings. */
const OWN_FILES: readonly string[] = ["/o/f", "/o/f/", "/o/n/f", "/o/none", "/x/f", "/r/none", "@"];

function kernelDecides(uid: number, call: string, place: string): boolean {
  return uid !== 0 && call.startsWith("open") && place.startsWith("/s/f");
}

function* onePlace(uid: number): Generator<string> {
  for (const place of PLACES) {
    for (const call of CALLS) yield `${uid} ${call.replace("%", place)}`;
    for (const flags of FLAGS) {
      const call = `open ${place} ${flags | O_NONBLOCK} ${0o644}`;
      if (!kernelDecides(uid, call, place)) yield `${uid} ${call}`;
    }
  }
}

function* twoPlaces(uid: number): Generator<string> {
  for (const from of PLACES) {
    for (const to of PLACES) {
      for (const flags of [0, RENAME_NOREPLACE, RENAME_EXCHANGE]) {
        yield `${uid} rename ${from} ${to} ${flags}`;
      }
      if (uid === 0 || OWN_FILES.includes(from)) yield `${uid} link ${from} ${to}`;
    }
  }
  yield `${uid} rename /o/f /o/none ${RENAME_NOREPLACE | RENAME_EXCHANGE}`;
  yield `${uid} rename /o/none /o/f ${RENAME_NOREPLACE | RENAME_EXCHANGE}`;
  yield `${uid} rename /o/f /o/none 64`;
}

/** Every case, as "uid call arguments". */
export function listCases(): string[] {
  return [0, USER].flatMap((uid) => [...onePlace(uid), ...twoPlaces(uid)]);
}
