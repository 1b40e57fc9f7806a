/** stat, lstat, fstat: what an inode shows. @module */
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from "../../abi/mode.ts";
import { ALICE, as, type Case, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "stat() shows type, size, owner, links and three times",
    needs: ["clock"],
    run(fs, t) {
      const now = t.tick();
      fs.writeFile("/f", "12345");
      fs.chown("/f", 3, 4);
      const stat = fs.stat("/f");
      t.eq([stat.mode, stat.size, stat.uid, stat.gid], [S_IFREG | 0o644, 5, 3, 4]);
      t.eq([stat.atimeMs, stat.mtimeMs, stat.ctimeMs], [now, now, now]);
      t.eq([stat.nlink, stat.rdev], [1, 0]);
      t.ok(stat.ino > 0 && stat.dev > 0 && stat.blksize >= 512, "ino, dev, blksize");
      t.eq(stat.mtime.getTime(), Math.trunc(now));
    },
  },
  {
    name: "stat() keeps everything over a remount",
    run(fs) {
      fs.writeFile("/f", "12345", { mode: 0o640 });
      fs.chown("/f", 70_000, 80_000);
      fs.utime("/f", 1_000_001, 2_000_002);
    },
    check(fs, t) {
      const { mode, uid, gid, atimeMs, mtimeMs, size } = fs.stat("/f");
      t.eq([mode, uid, gid, size], [S_IFREG | 0o640, 70_000, 80_000, 5]);
      t.eq([atimeMs, mtimeMs], [1_000_001, 2_000_002]);
    },
    remount: true,
  },
  {
    name: "stat() keeps fractions of a ms over a remount",
    needs: ["fractions of a millisecond"],
    run(fs) {
      fs.writeFile("/f", "");
      fs.utime("/f", 1_000_000.5, 2_000_000.25);
    },
    check(fs, t) {
      t.eq([fs.stat("/f").atimeMs, fs.stat("/f").mtimeMs], [1_000_000.5, 2_000_000.25]);
    },
    remount: true,
  },
  {
    name: "stat() follows links, lstat() does not",
    run(fs, t) {
      fs.writeFile("/f", "12345");
      fs.symlink("f", "/l");
      t.eq([fs.stat("/l").ino, fs.stat("/l").size], [fs.stat("/f").ino, 5]);
      const { mode, size } = fs.lstat("/l");
      t.eq([mode & S_IFMT, size], [S_IFLNK, 1]);
      fs.symlink("nowhere", "/m");
      t.fails("ENOENT", () => fs.stat("/m"));
      t.eq(fs.lstat("/m").size, 7);
    },
  },
  {
    name: "lstat() with a trailing slash follows the link",
    run(fs, t) {
      fs.mkdir("/d");
      fs.symlink("d", "/l");
      t.eq(fs.lstat("/l/").mode & S_IFMT, S_IFDIR);
    },
  },
  {
    name: "stat() of every kind shows the kind",
    needs: ["special files"],
    run(fs) {
      for (const [index, type] of [S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK].entries()) {
        fs.mknod(`/n${index}`, type | 0o644, 0);
      }
      fs.mkdir("/n5");
    },
    check(fs, t) {
      const types = [0, 1, 2, 3, 4, 5].map((index) => fs.stat(`/n${index}`).mode & S_IFMT);
      t.eq(types, [S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK, S_IFDIR]);
    },
    remount: true,
  },
  {
    name: "stat() is ENOENT, ENOTDIR, EACCES on the way",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.mkdir("/d", 0o700);
      fs.writeFile("/d/g", "");
      t.fails("ENOENT", () => fs.stat("/missing"));
      t.fails("ENOENT", () => fs.stat("/missing/f"));
      t.fails("ENOENT", () => fs.stat(""));
      t.fails("ENOTDIR", () => fs.stat("/f/g"));
      t.fails("ENOTDIR", () => fs.stat("/f/"));
      as(fs, ALICE, () => t.fails("EACCES", () => fs.stat("/d/g")));
    },
  },
  {
    name: "stat() needs no permission on the file itself",
    run(fs, t) {
      fs.writeFile("/f", "x", { mode: 0 });
      as(fs, ALICE, () => t.eq(fs.stat("/f").size, 1));
    },
  },
  {
    name: "stat() counts directories as 2 and their subdirectories",
    run(fs, t) {
      t.eq(fs.mkdir("/d") !== null, true);
      fs.writeFile("/d/f", "");
      t.eq(fs.stat("/d").nlink, 2);
      fs.mkdir("/d/a");
      fs.mkdir("/d/b");
      fs.mkdir("/d/b/c");
    },
    check(fs, t) {
      t.eq([fs.stat("/d").nlink, fs.stat("/d/b").nlink], [4, 3]);
    },
    remount: true,
  },
  {
    name: "stat() gives one inode number for all names, and another for another file",
    run(fs, t) {
      fs.writeFile("/a", "");
      fs.writeFile("/b", "");
      fs.link("/a", "/c");
      t.eq(fs.stat("/a").ino, fs.stat("/c").ino);
      t.ok(fs.stat("/a").ino !== fs.stat("/b").ino, "two files, two numbers");
      t.eq(fs.stat("/a").ino, fs.lookupPath("/a").node!.id);
    },
  },
  {
    name: "stat() counts only what a sparse file owns",
    run(fs, t) {
      t.eq(fs.create("/f") !== null, true);
      t.eq(fs.stat("/f").blocks, 0);
      fs.truncate("/f", 2 ** 30);
    },
    check(fs, t) {
      t.eq([fs.stat("/f").size, fs.stat("/f").blocks], [2 ** 30, 0]);
    },
    remount: true,
  },
  {
    name: "stat() counts blocks of 512 bytes",
    run(fs) {
      fs.writeFile("/f", new Uint8Array(65536).fill(1));
    },
    check(fs, t) {
      const { blocks } = fs.stat("/f");
      t.ok(blocks >= 128 && blocks <= 256, `${blocks} blocks for 64 KiB`);
    },
    remount: true,
  },
  {
    name: "stat() shows times in ns that agree with ms",
    needs: ["fractions of a millisecond"],
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.utimens("/f", [12, 345_678_000], [-5, 250_000_000]);
      const { atimeMs, atimeNs, mtimeMs, mtimeNs } = fs.stat("/f");
      t.ok(Math.abs(atimeMs - 12_345.678) < 0.001, `${atimeMs}`);
      t.ok(atimeNs >= 12_345_677_000n && atimeNs <= 12_345_679_000n, `${atimeNs}`);
      t.eq([mtimeMs, mtimeNs], [-4750, -4_750_000_000n]);
    },
  },
  {
    name: "fstat() looks at the open file, not at its path",
    run(fs, t) {
      fs.writeFile("/a", "first");
      within(fs, "/a", "r", (stream) => {
        fs.rename("/a", "/b");
        fs.writeFile("/a", "second one");
        t.eq(fs.fstat(stream).size, 5);
        t.eq(fs.fstat(stream.fd!).ino, fs.stat("/b").ino);
      });
      t.fails("EBADF", () => fs.fstat(999));
      t.fails("EBADF", () => fs.fstat(-1));
    },
  },
];
