/** symlink, readlink, and the walk through links. @module */
import { ALICE, as, type Case, namesIn, textOf } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "symlink() keeps its text, readlink() gives it back as it is",
    run(fs) {
      fs.symlink("../a//b/./c/", "/one");
      fs.symlink("/absolute/ż😀", "/two");
    },
    check(fs, t) {
      t.eq([fs.readlink("/one"), fs.readlink("/two")], ["../a//b/./c/", "/absolute/ż😀"]);
    },
    remount: true,
  },
  {
    name: "symlink() makes a link with mode 0777 whatever the umask, owned by its caller",
    run(fs, t) {
      fs.chmod("/", 0o777);
      as(fs, { ...ALICE, umask: 0o077 }, () => fs.symlink("x", "/l"));
      const { mode, uid, size } = fs.lstat("/l");
      t.eq([mode, uid, size], [0o120777, 1000, 1]);
    },
  },
  {
    name: "symlink() is EEXIST on an existing name, ENOENT for an empty target",
    run(fs, t) {
      fs.writeFile("/f", "");
      t.fails("EEXIST", () => fs.symlink("x", "/f"));
      t.fails("ENOENT", () => fs.symlink("", "/l"));
      t.fails("ENOENT", () => fs.symlink("x", "/missing/l"));
      t.fails("ENAMETOOLONG", () => fs.symlink("x".repeat(4096), "/l"));
      fs.symlink(`${"y/".repeat(2047)}z`, "/long");
    },
  },
  {
    name: "readlink() of what is no link is EINVAL",
    run(fs, t) {
      fs.writeFile("/f", "");
      t.fails("EINVAL", () => fs.readlink("/f"));
      t.fails("EINVAL", () => fs.readlink("/"));
      t.fails("ENOENT", () => fs.readlink("/missing"));
    },
  },
  {
    name: "the walk follows relative and absolute links in the middle and at the end",
    run(fs) {
      fs.mkdirTree("/a/b");
      fs.writeFile("/a/b/f", "found");
      fs.symlink("b", "/a/rel");
      fs.symlink("/a", "/abs");
      fs.symlink("../abs/rel", "/a/up");
    },
    check(fs, t) {
      for (const path of ["/a/rel/f", "/abs/b/f", "/abs/rel/f", "/a/up/f", "/abs/up/f"]) {
        t.eq(textOf(fs, path), "found", path);
      }
    },
    remount: true,
  },
  {
    name: 'the walk takes ".." from where the link leads',
    run(fs, t) {
      fs.mkdirTree("/x/y");
      fs.writeFile("/x/f", "beside the target");
      fs.writeFile("/f", "beside the link");
      fs.symlink("x/y", "/link");
      t.eq(textOf(fs, "/link/../f"), "beside the target");
      t.eq(textOf(fs, "/../../f"), "beside the link");
    },
  },
  {
    name: "the walk follows 40 links, and is ELOOP at 41",
    run(fs, t) {
      fs.writeFile("/l0", "end");
      for (let index = 1; index <= 41; index++) fs.symlink(`l${index - 1}`, `/l${index}`);
      t.eq(textOf(fs, "/l40"), "end");
      t.fails("ELOOP", () => fs.stat("/l41"));
      t.eq(fs.lstat("/l41").size, 3);
    },
  },
  {
    name: "the walk is ELOOP in a circle, for every call that follows",
    run(fs, t) {
      fs.symlink("b", "/a");
      fs.symlink("a", "/b");
      t.fails("ELOOP", () => fs.stat("/a"));
      t.fails("ELOOP", () => fs.open("/a", "r"));
      t.fails("ELOOP", () => fs.open("/a", "w"));
      t.fails("ELOOP", () => fs.readdir("/a/x"));
      t.fails("ELOOP", () => fs.chmod("/a", 0o600));
      t.fails("ELOOP", () => fs.truncate("/a", 1));
      t.eq(namesIn(fs, "/").includes("a"), true);
    },
  },
  {
    name: "the walk refuses a link's target that is no directory in the middle",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.symlink("f", "/l");
      t.fails("ENOTDIR", () => fs.stat("/l/x"));
      t.fails("ENOTDIR", () => fs.stat("/l/"));
      fs.symlink("f/", "/m");
      t.fails("ENOTDIR", () => fs.stat("/m"));
    },
  },
  {
    name: "realpath() gives the path without links and dots",
    run(fs, t) {
      fs.mkdirTree("/a/b/c");
      fs.symlink("a/b", "/l");
      t.eq(fs.realpath("/l/./c/../c//"), "/a/b/c");
      t.eq(fs.realpath("/.."), "/");
      t.fails("ENOENT", () => fs.realpath("/l/missing"));
    },
  },
];
