/**
 * What a backend may lack, and what one that lacks it does instead: a rule each, not a silence.
 *
 * A case says in `needs` what it asks for, a backend's row in `lacks` what it has not got. On such a
 * backend the case must fail, and the rule here must hold; on every other backend the rule must fail.
 * So nothing is declared that is not so. Imports no builtin, as the cases.
 *
 * @module
 */
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  FALLOC_FL_KEEP_SIZE,
  O_RDWR,
  O_TMPFILE,
  RENAME_EXCHANGE,
  SEEK_DATA,
  SEEK_HOLE,
} from "../../abi/flags.ts";
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFSOCK } from "../../abi/mode.ts";
import { type Case, namesIn, say, textOf, within } from "./case.ts";

/** What a case may need. */
export type Capability =
  | "clock"
  | "limits"
  | "special files"
  | "creation order"
  | "fractions of a millisecond"
  | "holes"
  | "allocation"
  | "extended attributes"
  | "exchange"
  | "late names";

/** Names that no host lists in this order by chance. */
const SCRAMBLED = [..."nwgqjzchpaxkvtbrleymsfdiou"].map((letter) => `${letter}-name`);

/** What is true of a backend that lacks the capability, and of no other. */
export const WITHOUT: Readonly<Record<Capability, Case>> = {
  clock: {
    name: "without a clock of ours: what is made bears the time of the host",
    run(fs, t) {
      const before = Date.now();
      fs.writeFile("/f", "");
      const { atimeMs, mtimeMs, ctimeMs } = fs.stat("/f");
      for (const time of [atimeMs, mtimeMs, ctimeMs]) {
        t.ok(Math.abs(time - before) < 10_000, `${time} is about ${before}`);
      }
    },
  },
  limits: {
    name: "without limits of ours: there is as much space as the host has",
    isSmall: true,
    run(fs, t) {
      const { bfree, bsize } = fs.statfs("/");
      t.ok(bfree * bsize > 2 ** 23, `${bfree} blocks are free`);
      fs.writeFile("/f", new Uint8Array(2 ** 22).fill(1));
      t.eq(fs.stat("/f").size, 2 ** 22);
    },
  },
  "special files": {
    name: "without special files: mknod() of one is EPERM and makes nothing",
    run(fs, t) {
      for (const type of [S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK]) {
        t.fails("EPERM", () => fs.mknod("/n", type | 0o666, 0x0105));
      }
      t.eq(namesIn(fs, "/"), []);
    },
  },
  "creation order": {
    name: "without an order of creation: readdir() lists each name once, in the host's order",
    run(fs, t) {
      fs.mkdir("/d");
      for (const name of SCRAMBLED) fs.writeFile(`/d/${name}`, "");
      const listed = fs.readdir("/d");
      t.eq(listed.slice(0, 2), [".", ".."]);
      t.eq(listed.slice(2).sort(), SCRAMBLED.toSorted());
      t.ok(listed.slice(2).join() !== SCRAMBLED.join(), "the order is not that of creation");
    },
  },
  "fractions of a millisecond": {
    name: "without fractions of a millisecond: utimens() keeps what is before them",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.utimens("/f", [12, 345_678_000], [1_700_000_000, 1_500_000]);
      t.eq([fs.stat("/f").atimeMs, fs.stat("/f").mtimeMs], [12_345, 1_700_000_000_001]);
    },
  },
  holes: {
    name: "without holes: everything up to the end is data, and the end is a hole",
    run(fs, t) {
      within(fs, "/f", "w", (stream) => say(fs, stream, "x", 2 ** 20));
      within(fs, "/f", "r", (stream) => {
        t.eq(fs.llseek(stream, 0, SEEK_DATA), 0);
        t.eq(fs.llseek(stream, 0, SEEK_HOLE), 2 ** 20 + 1);
      });
    },
  },
  allocation: {
    name: "without allocation: allocate() and fallocate() are ENOTSUP and change nothing",
    run(fs, t) {
      fs.writeFile("/f", "kept");
      within(fs, "/f", "r+", (stream) => {
        t.fails("ENOTSUP", () => fs.allocate(stream, 0, 100));
        t.fails("ENOTSUP", () => fs.fallocate(stream, FALLOC_FL_KEEP_SIZE, 0, 100));
      });
      t.eq(textOf(fs, "/f"), "kept");
    },
  },
  "extended attributes": {
    name: "without extended attributes: the calls are ENOTSUP, and listxattr() is empty",
    run(fs, t) {
      fs.writeFile("/f", "");
      t.fails("ENOTSUP", () => fs.setxattr("/f", "user.a", new Uint8Array(1)));
      t.fails("ENOTSUP", () => fs.getxattr("/f", "user.a"));
      t.fails("ENOTSUP", () => fs.removexattr("/f", "user.a"));
      t.eq(fs.listxattr("/f"), []);
    },
  },
  exchange: {
    name: "without exchange: RENAME_EXCHANGE is EINVAL and moves nothing",
    run(fs, t) {
      fs.writeFile("/a", "a");
      fs.writeFile("/b", "b");
      t.fails("EINVAL", () => fs.rename("/a", "/b", RENAME_EXCHANGE));
      t.eq([textOf(fs, "/a"), textOf(fs, "/b")], ["a", "b"]);
    },
  },
  "late names": {
    name: "without late names: a file of O_TMPFILE never gets one (ENOENT)",
    run(fs, t) {
      const stream = fs.open("/", O_TMPFILE | O_RDWR);
      t.fails("ENOENT", () => fs.linkat(stream, "", AT_FDCWD, "/named", AT_EMPTY_PATH));
      fs.close(stream);
      t.eq(namesIn(fs, "/"), []);
    },
  },
};

/** What a case needs; a small file system is one whose limits are ours. */
export function needsOf(test: Case): readonly Capability[] {
  return test.isSmall ? [...test.needs ?? [], "limits"] : test.needs ?? [];
}

/** The first thing that a case needs and a backend lacks, or null. */
export function lackOf(
  row: { readonly lacks?: readonly Capability[] },
  test: Case,
): Capability | null {
  return needsOf(test).find((need) => row.lacks?.includes(need)) ?? null;
}
