/** The *at family: from an open directory or AT_FDCWD. @module */
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  O_DIRECTORY,
  RENAME_NOREPLACE,
} from "../../abi/flags.ts";
import { type Case, namesIn, say, textOf, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "openat() starts at an open directory, at AT_FDCWD, or at / for an absolute path",
    run(fs, t) {
      fs.mkdirTree("/a/b");
      fs.writeFile("/a/f", "in a");
      fs.writeFile("/f", "in root");
      within(fs, "/a", O_DIRECTORY, (dir) => {
        const read = (fd: number | typeof dir, path: string): number => {
          const stream = fs.openat(fd, path, "r");
          const { size } = fs.fstat(stream);
          fs.close(stream);
          return size;
        };
        t.eq([read(dir, "f"), read(dir.fd!, "b/../f"), read(AT_FDCWD, "f")], [4, 4, 7]);
        t.eq(read(dir, "/f"), 7);
        fs.rename("/a", "/z");
        t.eq(read(dir, "f"), 4);
        t.fails("ENOENT", () => fs.openat(dir, "", "r"));
      });
    },
  },
  {
    name: "the *at calls are EBADF on no descriptor, ENOTDIR on a file's",
    run(fs, t) {
      fs.writeFile("/f", "");
      within(fs, "/f", "r", (file) => {
        t.fails("ENOTDIR", () => fs.openat(file, "g", "r"));
        t.fails("ENOTDIR", () => fs.mkdirat(file, "g"));
      });
      t.fails("EBADF", () => fs.openat(999, "g", "r"));
      t.fails("EBADF", () => fs.unlinkat(-1, "g"));
    },
  },
  {
    name: "mkdirat(), symlinkat(), linkat(), renameat(), unlinkat() do what their namesakes do",
    run(fs, t) {
      fs.mkdir("/d");
      within(fs, "/d", O_DIRECTORY, (dir) => {
        fs.mkdirat(dir, "sub");
        const stream = fs.openat(dir, "f", "w");
        say(fs, stream, "text");
        fs.close(stream);
        fs.symlinkat("f", dir, "l");
        t.eq(fs.readlinkat(dir, "l"), "f");
        fs.linkat(dir, "f", dir, "g");
        fs.linkat(dir, "l", dir, "hard", AT_SYMLINK_FOLLOW);
        fs.renameat(dir, "g", AT_FDCWD, "/moved");
        t.fails("EEXIST", () => fs.renameat(dir, "f", dir, "l", RENAME_NOREPLACE));
        fs.unlinkat(dir, "l");
        t.fails("EISDIR", () => fs.unlinkat(dir, "sub"));
        fs.unlinkat(dir, "sub", AT_REMOVEDIR);
        t.fails("EINVAL", () => fs.unlinkat(dir, "f", 1));
      });
    },
    check(fs, t) {
      t.eq(namesIn(fs, "/d").sort(), ["f", "hard"]);
      t.eq([textOf(fs, "/moved"), fs.stat("/d/hard").nlink], ["text", 3]);
    },
    remount: true,
  },
  {
    name: "fstatat() follows or not, and takes an empty path",
    run(fs, t) {
      fs.mkdir("/d");
      fs.writeFile("/d/f", "12345");
      fs.symlink("f", "/d/l");
      within(fs, "/d", O_DIRECTORY, (dir) => {
        t.eq([fs.fstatat(dir, "l").size, fs.fstatat(dir, "l", AT_SYMLINK_NOFOLLOW).size], [5, 1]);
        t.eq(fs.fstatat(dir, "", AT_EMPTY_PATH).ino, fs.stat("/d").ino);
        t.fails("ENOENT", () => fs.fstatat(dir, ""));
        fs.faccessat(dir, "f", 4);
        t.fails("ENOENT", () => fs.faccessat(dir, "missing", 0));
      });
    },
  },
];
