/** mkdir, mkdirTree, rmdir. @module */
import { S_IFDIR, S_IFMT } from "../../abi/mode.ts";
import { ALICE, as, BOB, type Case, modeOf, namesIn, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "mkdir() makes a directory with mode, umask and its caller as owner",
    needs: ["clock"],
    run(fs, t) {
      fs.chmod("/", 0o777);
      as(fs, { ...ALICE, umask: 0o027 }, () => fs.mkdir("/d", 0o777));
      const now = t.now();
      const { uid, gid, mode, mtimeMs } = fs.stat("/d");
      t.eq([uid, gid, mode, mtimeMs], [1000, 1000, S_IFDIR | 0o750, now]);
    },
    check(fs, t) {
      t.eq([fs.stat("/d").uid, modeOf(fs, "/d"), fs.stat("/d").nlink], [1000, 0o750, 2]);
    },
    remount: true,
  },
  {
    name: "mkdir() keeps the sticky bit and setgid",
    run(fs, t) {
      fs.umask(0);
      fs.mkdir("/s", 0o1777);
      fs.mkdir("/g", 0o2755);
      t.eq([modeOf(fs, "/s"), modeOf(fs, "/g")], [0o1777, 0o2755]);
    },
  },
  {
    name: "mkdir() inside a setgid directory takes its group and the bit",
    run(fs, t) {
      fs.mkdir("/d");
      fs.chown("/d", 0, 50);
      fs.chmod("/d", 0o2777);
      as(fs, ALICE, () => {
        fs.mkdir("/d/e");
        fs.writeFile("/d/f", "");
      });
      t.eq([fs.stat("/d/e").gid, modeOf(fs, "/d/e")], [50, 0o2755]);
      t.eq([fs.stat("/d/f").gid, modeOf(fs, "/d/f")], [50, 0o644]);
    },
  },
  {
    name: "mkdir() is EEXIST on anything that is there, links too",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.symlink("nowhere", "/l");
      fs.mkdir("/d");
      for (const path of ["/f", "/l", "/d", "/", "/d/.", "/d/.."]) {
        t.fails("EEXIST", () => fs.mkdir(path), path);
      }
    },
  },
  {
    name: "mkdir() takes a trailing slash",
    run(fs, t) {
      fs.mkdir("/d/");
      fs.mkdir("/d/e///");
      t.eq(namesIn(fs, "/d"), ["e"]);
    },
  },
  {
    name: "mkdir() is ENOENT without a parent, ENOTDIR below a file, EACCES without permission",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.mkdir("/d", 0o755);
      t.fails("ENOENT", () => fs.mkdir("/missing/d"));
      t.fails("ENOTDIR", () => fs.mkdir("/f/d"));
      as(fs, ALICE, () => t.fails("EACCES", () => fs.mkdir("/d/e")));
    },
  },
  {
    name: "mkdir() moves the times of its parent",
    needs: ["clock"],
    run(fs, t) {
      fs.mkdir("/d");
      const { atimeMs } = fs.stat("/d");
      const now = t.tick();
      fs.mkdir("/d/e");
      const stat = fs.stat("/d");
      t.eq([stat.mtimeMs, stat.ctimeMs, stat.atimeMs], [now, now, atimeMs]);
    },
  },
  {
    name: "mkdir() below a removed directory is ENOENT",
    run(fs, t) {
      fs.mkdir("/d");
      fs.chdir("/d");
      fs.rmdir("/d");
      t.fails("ENOENT", () => fs.mkdir("e"));
      t.fails("ENOENT", () => fs.writeFile("f", ""));
      fs.chdir("/");
    },
  },
  {
    name: "mkdirTree() makes what is missing and minds a file in the way",
    run(fs, t) {
      fs.mkdirTree("/a/b/c");
      fs.mkdirTree("/a/b/c");
      fs.mkdirTree("/a/b/d/");
      fs.writeFile("/a/f", "");
      t.fails("ENOTDIR", () => fs.mkdirTree("/a/f"));
      t.fails("ENOTDIR", () => fs.mkdirTree("/a/f/g"));
    },
    check(fs, t) {
      t.eq(namesIn(fs, "/a/b"), ["c", "d"]);
      t.eq(fs.stat("/a/b/c").mode & S_IFMT, S_IFDIR);
    },
    remount: true,
  },
  {
    name: "rmdir() removes an empty directory",
    needs: ["clock"],
    run(fs, t) {
      fs.mkdir("/d");
      fs.mkdir("/d/e");
      const now = t.tick();
      fs.rmdir("/d/e");
      const { nlink, mtimeMs, ctimeMs } = fs.stat("/d");
      t.eq([nlink, mtimeMs, ctimeMs], [2, now, now]);
    },
    check(fs, t) {
      t.fails("ENOENT", () => fs.stat("/d/e"));
      t.eq(namesIn(fs, "/d"), []);
    },
    remount: true,
  },
  {
    name: "rmdir() refuses what is not empty, no directory, or not there",
    run(fs, t) {
      fs.mkdirTree("/d/e");
      fs.writeFile("/f", "");
      fs.symlink("d", "/l");
      t.fails("ENOTEMPTY", () => fs.rmdir("/d"));
      t.fails("ENOTDIR", () => fs.rmdir("/f"));
      t.fails("ENOTDIR", () => fs.rmdir("/l"));
      t.fails("ENOENT", () => fs.rmdir("/missing"));
      t.eq(namesIn(fs, "/d"), ["e"]);
    },
  },
  {
    name: 'rmdir() of "d/." is EINVAL, of "d/.." ENOTEMPTY, of "/" EBUSY',
    run(fs, t) {
      fs.mkdirTree("/d/e");
      t.fails("EINVAL", () => fs.rmdir("/d/e/."));
      t.fails("EINVAL", () => fs.rmdir("/d/e/./"));
      t.fails("ENOTEMPTY", () => fs.rmdir("/d/e/.."));
      t.fails("EBUSY", () => fs.rmdir("/"));
      t.eq(namesIn(fs, "/d"), ["e"]);
    },
  },
  {
    name: "rmdir() of an open directory leaves its stream",
    run(fs, t) {
      fs.mkdir("/d");
      within(fs, "/d", 0, (stream) => {
        fs.rmdir("/d");
        t.eq(fs.fstat(stream).nlink, 0);
      });
    },
  },
  {
    name: "rmdir() in a sticky directory is for the owner of either",
    run(fs, t) {
      fs.mkdir("/s");
      fs.chmod("/s", 0o1777);
      as(fs, ALICE, () => fs.mkdir("/s/a"));
      as(fs, BOB, () => t.fails("EPERM", () => fs.rmdir("/s/a")));
      as(fs, ALICE, () => fs.rmdir("/s/a"));
      t.eq(namesIn(fs, "/s"), []);
    },
  },
];
