/** link: one inode, several names. @module */
import { S_IFIFO } from "../../abi/mode.ts";
import { ALICE, as, type Case, textOf, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "link() gives one inode two names that share everything",
    needs: ["clock"],
    run(fs, t) {
      fs.mkdir("/d");
      fs.writeFile("/a", "one");
      const now = t.tick();
      fs.link("/a", "/d/b");
      t.eq([fs.stat("/a").ctimeMs, fs.stat("/d").mtimeMs], [now, now]);
      fs.writeFile("/d/b", "changed");
      fs.chmod("/a", 0o600);
      fs.chown("/d/b", 5, 6);
    },
    check(fs, t) {
      const [a, b] = [fs.stat("/a"), fs.stat("/d/b")];
      t.eq([a.ino, a.nlink, a.mode, a.uid], [b.ino, 2, b.mode, 5]);
      t.eq([textOf(fs, "/a"), a.mode & 0o777], ["changed", 0o600]);
    },
    remount: true,
  },
  {
    name: "link() refuses directories, names that exist, and what is not there",
    run(fs, t) {
      fs.mkdir("/d");
      fs.writeFile("/f", "");
      t.fails("EPERM", () => fs.link("/d", "/e"));
      t.fails("EEXIST", () => fs.link("/f", "/d"));
      t.fails("EEXIST", () => fs.link("/f", "/f"));
      t.fails("ENOENT", () => fs.link("/missing", "/x"));
      t.fails("ENOENT", () => fs.link("/f", "/missing/x"));
      t.fails("ENOTDIR", () => fs.link("/f", "/f/x"));
      t.fails("ENOENT", () => fs.link("/f", "/g/"));
    },
  },
  {
    name: "link() to a symbolic link names that",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.symlink("f", "/l");
      fs.link("/l", "/m");
      t.eq([fs.readlink("/m"), fs.lstat("/l").nlink], ["f", 2]);
    },
    check(fs, t) {
      t.eq(fs.lstat("/l").ino, fs.lstat("/m").ino);
    },
    remount: true,
  },
  {
    name: "link() to a special file names that",
    needs: ["special files"],
    run(fs, t) {
      fs.mknod("/p", S_IFIFO | 0o644, 0);
      fs.link("/p", "/q");
      t.eq(fs.stat("/q").nlink, 2);
    },
    check(fs, t) {
      t.eq(fs.stat("/p").ino, fs.stat("/q").ino);
    },
    remount: true,
  },
  {
    name: "link() is seen by a stream that is already open",
    run(fs, t) {
      fs.writeFile("/a", "x");
      within(fs, "/a", "r", (stream) => {
        fs.link("/a", "/b");
        t.eq(fs.fstat(stream).nlink, 2);
        fs.unlink("/a");
        fs.unlink("/b");
        t.eq(fs.fstat(stream).nlink, 0);
      });
    },
  },
  {
    name: "link() needs write permission on the new directory",
    run(fs, t) {
      fs.mkdir("/d", 0o755);
      fs.writeFile("/f", "", { mode: 0o666 });
      as(fs, ALICE, () => t.fails("EACCES", () => fs.link("/f", "/d/g")));
    },
  },
  {
    name: "link() after link(), chains of unlink leave the last name whole",
    run(fs) {
      fs.writeFile("/n0", "content");
      for (let index = 1; index < 30; index++) fs.link(`/n${index - 1}`, `/n${index}`);
      for (let index = 0; index < 29; index++) fs.unlink(`/n${index}`);
    },
    check(fs, t) {
      t.eq([textOf(fs, "/n29"), fs.stat("/n29").nlink], ["content", 1]);
    },
    remount: true,
  },
];
