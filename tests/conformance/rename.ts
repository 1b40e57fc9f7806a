/** rename: what moves, what is replaced, what is refused. @module */
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from "../../abi/flags.ts";
import { ALICE, as, BOB, type Case, hear, namesIn, textOf, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "rename() moves a file between directories",
    needs: ["clock"],
    run(fs, t) {
      fs.mkdir("/a");
      fs.mkdir("/b");
      fs.writeFile("/a/f", "moved");
      const now = t.tick();
      fs.rename("/a/f", "/b/g");
      const times = ["/a", "/b"].map((path) => fs.stat(path).mtimeMs);
      t.eq(times, [now, now]);
    },
    check(fs, t) {
      t.eq([namesIn(fs, "/a"), textOf(fs, "/b/g")], [[], "moved"]);
    },
    remount: true,
  },
  {
    name: "rename() moves a directory with all that is in it",
    run(fs, t) {
      fs.mkdirTree("/a/d/deep/er");
      fs.writeFile("/a/d/deep/er/f", "inside");
      fs.mkdir("/b");
      t.eq(textOf(fs, "/a/d/deep/er/f"), "inside");
      fs.rename("/a/d", "/b/e");
    },
    check(fs, t) {
      t.eq(textOf(fs, "/b/e/deep/er/f"), "inside");
      t.fails("ENOENT", () => fs.stat("/a/d/deep/er/f"));
      t.eq([fs.stat("/a").nlink, fs.stat("/b").nlink], [2, 3]);
      t.eq(fs.stat("/b/e/..").ino, fs.stat("/b").ino);
    },
    remount: true,
  },
  {
    name: "rename() replaces a file; the old one is gone, and no ghost stays",
    run(fs, t) {
      fs.writeFile("/a", "new");
      fs.writeFile("/b", "old");
      t.eq(textOf(fs, "/b"), "old");
      fs.rename("/a", "/b");
      t.eq(textOf(fs, "/b"), "new");
      t.fails("ENOENT", () => fs.stat("/a"));
      fs.unlink("/b");
      t.fails("ENOENT", () => fs.stat("/b"));
    },
    check(fs, t) {
      t.eq(namesIn(fs, "/").filter((name) => name === "a" || name === "b"), []);
    },
    remount: true,
  },
  {
    name: "rename() replaces an empty directory by a directory",
    run(fs) {
      fs.mkdirTree("/a/in");
      fs.mkdir("/b");
      fs.rename("/a", "/b");
    },
    check(fs, t) {
      t.eq(namesIn(fs, "/b"), ["in"]);
      t.fails("ENOENT", () => fs.stat("/a"));
    },
    remount: true,
  },
  {
    name: "rename() refuses kinds that differ and directories that are not empty",
    run(fs, t) {
      fs.mkdirTree("/full/in");
      fs.mkdir("/d");
      fs.writeFile("/f", "");
      t.fails("ENOTEMPTY", () => fs.rename("/d", "/full"));
      t.fails("EISDIR", () => fs.rename("/f", "/d"));
      t.fails("ENOTDIR", () => fs.rename("/d", "/f"));
      t.fails("ENOENT", () => fs.rename("/missing", "/x"));
      t.fails("ENOENT", () => fs.rename("/f", "/missing/x"));
      t.fails("ENOENT", () => fs.rename("", "/x"));
      t.fails("ENOTDIR", () => fs.rename("/f", "/g/"));
    },
  },
  {
    name: "rename() of a directory into itself is EINVAL, onto its ancestor ENOTEMPTY",
    run(fs, t) {
      fs.mkdirTree("/a/b/c");
      t.fails("EINVAL", () => fs.rename("/a", "/a/b/c/x"));
      t.fails("EINVAL", () => fs.rename("/a", "/a/x"));
      t.fails("ENOTEMPTY", () => fs.rename("/a/b/c", "/a"));
      t.eq(namesIn(fs, "/a/b"), ["c"]);
    },
  },
  {
    name: 'rename() of "." and ".." is refused, of "/" EBUSY',
    run(fs, t) {
      fs.mkdirTree("/a/b");
      for (const path of ["/a/.", "/a/b/.."]) {
        const codes = ["EBUSY", "EINVAL"];
        let got = "";
        try {
          fs.rename(path, "/x");
        } catch (error) {
          got = (error as { code: string }).code;
        }
        t.ok(codes.includes(got), `${path}: ${got}`);
      }
      t.fails("EBUSY", () => fs.rename("/", "/x"));
      t.eq(namesIn(fs, "/a"), ["b"]);
    },
  },
  {
    name: "rename() between two names of one inode does nothing",
    run(fs) {
      fs.writeFile("/a", "both");
      fs.link("/a", "/b");
      fs.rename("/a", "/b");
      fs.rename("/a", "/a");
    },
    check(fs, t) {
      t.eq([fs.stat("/a").nlink, textOf(fs, "/b")], [2, "both"]);
    },
    remount: true,
  },
  {
    name: "rename() moves a link, not its target",
    run(fs, t) {
      fs.writeFile("/f", "target");
      fs.symlink("f", "/l");
      fs.rename("/l", "/m");
      t.eq([fs.readlink("/m"), textOf(fs, "/f")], ["f", "target"]);
    },
  },
  {
    name: "rename() over an open file leaves its stream",
    run(fs, t) {
      fs.writeFile("/a", "new");
      fs.writeFile("/b", "old");
      within(fs, "/b", "r", (stream) => {
        fs.rename("/a", "/b");
        t.eq([hear(fs, stream), fs.fstat(stream).nlink], ["old", 0]);
      });
      t.eq(textOf(fs, "/b"), "new");
    },
  },
  {
    name: "rename() of an open directory: what is made through it is found at the new place",
    run(fs, t) {
      fs.mkdir("/a");
      within(fs, "/a", 0, (stream) => {
        fs.rename("/a", "/b");
        fs.mkdirat(stream, "c");
        t.eq(namesIn(fs, "/b"), ["c"]);
      });
    },
  },
  {
    name: "rename() with RENAME_NOREPLACE is EEXIST on an existing name",
    run(fs, t) {
      fs.writeFile("/a", "a");
      fs.writeFile("/b", "b");
      t.fails("EEXIST", () => fs.rename("/a", "/b", RENAME_NOREPLACE));
      t.eq(textOf(fs, "/b"), "b");
      fs.rename("/a", "/c", RENAME_NOREPLACE);
      t.eq(textOf(fs, "/c"), "a");
    },
  },
  {
    name: "rename() with RENAME_EXCHANGE swaps a file and a directory",
    needs: ["exchange"],
    run(fs, t) {
      fs.mkdirTree("/x/d/in");
      fs.mkdir("/y");
      fs.writeFile("/y/f", "file");
      fs.rename("/x/d", "/y/f", RENAME_EXCHANGE);
      t.eq([fs.stat("/x").nlink, fs.stat("/y").nlink], [2, 3]);
      t.fails("ENOENT", () => fs.rename("/x/d", "/missing", RENAME_EXCHANGE));
      t.fails("EINVAL", () => fs.rename("/x/d", "/y/f", 8));
    },
    check(fs, t) {
      t.eq([textOf(fs, "/x/d"), namesIn(fs, "/y/f")], ["file", ["in"]]);
      t.eq(fs.stat("/y/f/..").ino, fs.stat("/y").ino);
    },
    remount: true,
  },
  {
    name: "rename() of a directory leaves no stale path",
    run(fs, t) {
      fs.mkdirTree("/a/b");
      fs.writeFile("/a/b/f", "1");
      t.eq(textOf(fs, "/a/b/f"), "1");
      fs.rename("/a", "/z");
      fs.mkdirTree("/a/b");
      t.fails("ENOENT", () => fs.stat("/a/b/f"));
      fs.writeFile("/a/b/f", "2");
      t.eq([textOf(fs, "/a/b/f"), textOf(fs, "/z/b/f")], ["2", "1"]);
    },
  },
  {
    name: "rename() needs write permission on both directories",
    run(fs, t) {
      fs.mkdir("/a", 0o755);
      fs.mkdir("/b");
      fs.chmod("/b", 0o777);
      fs.writeFile("/a/f", "");
      as(fs, ALICE, () => {
        fs.writeFile("/b/g", "");
        t.fails("EACCES", () => fs.rename("/a/f", "/b/f"));
        t.fails("EACCES", () => fs.rename("/b/g", "/a/g"));
      });
    },
  },
  {
    name: "rename() looks at the old name before the new one's length",
    run(fs, t) {
      const long = `/${"n".repeat(256)}`;
      fs.writeFile("/f", "");
      t.fails("ENOENT", () => fs.rename("/none", long));
      t.fails("EBUSY", () => fs.rename("/.", long));
      t.fails("ENAMETOOLONG", () => fs.rename("/f", long));
      t.fails("ENAMETOOLONG", () => fs.rename(long, "/g"));
      t.fails("ENOENT", () => fs.rename(long, "/none/g"));
    },
  },
  {
    name: "rename() heeds sticky directories on both sides",
    run(fs, t) {
      fs.mkdir("/s");
      fs.chmod("/s", 0o1777);
      as(fs, ALICE, () => fs.writeFile("/s/a", ""));
      as(fs, BOB, () => {
        fs.writeFile("/s/b", "");
        t.fails("EPERM", () => fs.rename("/s/a", "/s/c"));
        t.fails("EPERM", () => fs.rename("/s/b", "/s/a"));
        fs.rename("/s/b", "/s/d");
      });
    },
  },
  {
    name: "rename() moves the renamed file's ctime",
    needs: ["clock"],
    run(fs, t) {
      fs.writeFile("/a", "");
      const now = t.tick();
      fs.rename("/a", "/b");
      t.eq(fs.stat("/b").ctimeMs, now);
    },
  },
];
