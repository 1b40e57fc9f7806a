/** readdir: order, cursors, names of every kind. @module */
import { ALICE, as, type Case, namesIn } from "./case.ts";

const ODD_NAMES = [
  "__proto__",
  "constructor",
  "10",
  "9",
  "toString",
  " ",
  "a b",
  "ż",
  "😀",
  "\\",
  "*",
];

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: 'readdir() lists "." and ".." first',
    run(fs, t) {
      fs.mkdir("/d");
      t.eq(fs.readdir("/d"), [".", ".."]);
      fs.writeFile("/d/f", "");
      t.eq(fs.readdir("/d"), [".", "..", "f"]);
      t.eq(fs.readdir("/").slice(0, 2), [".", ".."]);
    },
  },
  {
    name: "readdir() and the walk take odd names as they are",
    run(fs) {
      fs.mkdir("/d");
      for (const name of ODD_NAMES) fs.writeFile(`/d/${name}`, name);
    },
    check(fs, t) {
      t.eq(namesIn(fs, "/d").sort(), [...ODD_NAMES].sort());
      for (const name of ODD_NAMES) {
        t.eq(fs.readFile(`/d/${name}`, { encoding: "utf8" }), name);
      }
    },
    remount: true,
  },
  {
    name: "readdir() keeps the order in which names were made",
    needs: ["creation order"],
    run(fs) {
      fs.mkdir("/d");
      for (const name of ["c", "10", "a", "9", "b"]) fs.writeFile(`/d/${name}`, "");
    },
    check(fs, t) {
      t.eq(namesIn(fs, "/d"), ["c", "10", "a", "9", "b"]);
    },
  },
  {
    name: "readdir() is ENOTDIR on a file, ENOENT on nothing, EACCES without read permission",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.mkdir("/d");
      fs.chmod("/d", 0o711);
      t.fails("ENOTDIR", () => fs.readdir("/f"));
      t.fails("ENOENT", () => fs.readdir("/missing"));
      as(fs, ALICE, () => t.fails("EACCES", () => fs.readdir("/d")));
    },
  },
  {
    name: "readdir() follows a link",
    run(fs, t) {
      fs.mkdir("/d");
      fs.writeFile("/d/f", "");
      fs.symlink("d", "/l");
      t.eq(namesIn(fs, "/l"), ["f"]);
    },
  },
  {
    name: "readdir() lists three thousand names once each",
    run(fs) {
      fs.mkdir("/d");
      for (let index = 0; index < 3000; index++) fs.create(`/d/file number ${index}`);
    },
    check(fs, t) {
      const names = namesIn(fs, "/d");
      t.eq([names.length, new Set(names).size], [3000, 3000]);
    },
    remount: true,
  },
  {
    name: "readdir() distinguishes names that differ in case or in composition only",
    run(fs) {
      fs.mkdir("/d");
      for (const name of ["a", "A", "\u00e9", "e\u0301"]) fs.writeFile(`/d/${name}`, name);
    },
    check(fs, t) {
      t.eq(namesIn(fs, "/d").length, 4);
    },
    remount: true,
  },
];
