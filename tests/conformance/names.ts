/** Names and paths: limits, bytes, slashes, dots, the current directory. @module */
import { type Case, namesIn, textOf, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "a name has up to 255 bytes, counted in UTF-8",
    run(fs, t) {
      fs.writeFile(`/${"x".repeat(255)}`, "1");
      fs.writeFile(`/${"ż".repeat(127)}`, "2");
      t.fails("ENAMETOOLONG", () => fs.writeFile(`/${"x".repeat(256)}`, ""));
      t.fails("ENAMETOOLONG", () => fs.writeFile(`/${"ż".repeat(128)}`, ""));
      t.fails("ENAMETOOLONG", () => fs.stat(`/${"x".repeat(300)}`));
      t.fails("ENAMETOOLONG", () => fs.rename(`/${"x".repeat(255)}`, `/${"y".repeat(256)}`));
    },
    check(fs, t) {
      t.eq([textOf(fs, `/${"x".repeat(255)}`), textOf(fs, `/${"ż".repeat(127)}`)], ["1", "2"]);
    },
    remount: true,
  },
  {
    name: "a path has up to 4,095 bytes",
    run(fs, t) {
      fs.writeFile("/f", "here");
      t.eq(textOf(fs, `${"/".repeat(4094)}f`), "here");
      t.fails("ENAMETOOLONG", () => fs.stat(`${"/".repeat(4095)}f`));
      t.fails("ENAMETOOLONG", () => fs.stat(`/${"ż/".repeat(1400)}`));
    },
  },
  {
    name: "a lone surrogate is EILSEQ, NUL is EINVAL",
    run(fs, t) {
      t.fails("EILSEQ", () => fs.writeFile("/a\ud800b", ""));
      t.fails("EILSEQ", () => fs.mkdir("/\udc00"));
      t.fails("EINVAL", () => fs.writeFile("/a\0b", ""));
      t.eq(namesIn(fs, "/").some((name) => name.startsWith("a")), false);
    },
  },
  {
    name: "slashes may repeat, and one at the end demands a directory",
    run(fs, t) {
      fs.mkdir("/d");
      fs.writeFile("/d/f", "x");
      t.eq(textOf(fs, "//d///f"), "x");
      t.eq(fs.stat("/d/").ino, fs.stat("/d").ino);
      t.fails("ENOTDIR", () => fs.readFile("/d/f/"));
      t.fails("ENOTDIR", () => fs.chmod("/d/f/", 0o600));
      t.fails("ENOTDIR", () => fs.readFile("/d/f/."));
    },
  },
  {
    name: '"." and ".." are the directory and the one above',
    run(fs, t) {
      fs.mkdirTree("/a/b");
      fs.writeFile("/a/f", "up");
      t.eq(textOf(fs, "/a/b/../f"), "up");
      t.eq(textOf(fs, "/a/./b/.././f"), "up");
      t.fails("ENOENT", () => fs.stat("/a/missing/../f"));
      t.fails("ENOTDIR", () => fs.stat("/a/f/../f"));
    },
  },
  {
    name: "relative paths start at the current directory, wherever it is moved",
    run(fs, t) {
      fs.mkdirTree("/a/b");
      fs.chdir("/a/b");
      fs.writeFile("f", "relative");
      t.eq(fs.cwd(), "/a/b");
      fs.rename("/a", "/z");
      t.eq([fs.cwd(), textOf(fs, "f"), textOf(fs, "../b/f")], ["/z/b", "relative", "relative"]);
      fs.chdir("..");
      t.eq(fs.cwd(), "/z");
      t.fails("ENOTDIR", () => fs.chdir("b/f"));
      t.fails("ENOENT", () => fs.chdir("missing"));
      within(fs, "/z/b", 0, (stream) => fs.fchdir(stream));
      t.eq(fs.cwd(), "/z/b");
      fs.chdir("/");
    },
  },
  {
    name: "whatever is no path is an ErrnoError",
    run(fs, t) {
      for (const path of [null, undefined, 7, {}, [], Symbol("path"), 1n, NaN]) {
        t.fails("EINVAL", () => fs.stat(path as never));
        t.fails("EINVAL", () => fs.mkdir(path as never));
        t.fails("EINVAL", () => fs.unlink(path as never));
      }
    },
  },
];
