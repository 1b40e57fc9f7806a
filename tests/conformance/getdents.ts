/** getdents: entries with types and cursors that outlive changes. @module */
import { SEEK_SET } from "../../abi/flags.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../abi/mode.ts";
import { type Case, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "getdents() gives inode, type and name of each entry, dots first",
    run(fs, t) {
      fs.mkdirTree("/d/sub");
      fs.writeFile("/d/f", "");
      fs.symlink("f", "/d/l");
      within(fs, "/d", 0, (dir) => {
        const entries = fs.getdents(dir);
        const kinds = Object.fromEntries(entries.map(({ name, mode }) => [name, mode & S_IFMT]));
        t.eq(entries.slice(0, 2).map(({ name }) => name), [".", ".."]);
        t.eq([kinds.sub, kinds.f, kinds.l], [S_IFDIR, S_IFREG, S_IFLNK]);
        const numbers = Object.fromEntries(entries.map(({ name, ino }) => [name, ino]));
        t.eq(numbers.f, fs.stat("/d/f").ino);
        t.eq([numbers["."], numbers[".."]], [fs.stat("/d").ino, fs.stat("/").ino]);
        t.eq(fs.getdents(dir), []);
      });
    },
  },
  {
    name: "getdents() in small pieces gives every name once, and goes back by llseek",
    run(fs, t) {
      fs.mkdir("/d");
      for (let index = 0; index < 50; index++) fs.create(`/d/f${index}`);
      within(fs, "/d", 0, (dir) => {
        const names: string[] = [];
        let third = 0;
        for (let found = fs.getdents(dir, 3); found.length > 0; found = fs.getdents(dir, 3)) {
          names.push(...found.map(({ name }) => name));
          third ||= found[2]!.cursor;
        }
        t.eq([names.length, new Set(names).size], [52, 52]);
        fs.llseek(dir, third, SEEK_SET);
        t.eq(fs.getdents(dir, 2).map(({ name }) => name), names.slice(3, 5));
        fs.llseek(dir, 0, SEEK_SET);
        t.eq(fs.getdents(dir, 1)[0]!.name, ".");
      });
    },
  },
  {
    name: "getdents() meets what stays exactly once while other names come and go",
    run(fs, t) {
      fs.mkdir("/d");
      for (let index = 0; index < 40; index++) fs.create(`/d/f${index}`);
      within(fs, "/d", 0, (dir) => {
        const names: string[] = [];
        let round = 0;
        for (let found = fs.getdents(dir, 4); found.length > 0; found = fs.getdents(dir, 4)) {
          names.push(...found.map(({ name }) => name));
          if (round < 10) {
            fs.unlink(`/d/f${round * 4}`);
            fs.create(`/d/new${round}`);
          }
          round++;
        }
        const stayed = Array.from({ length: 40 }, (_, index) => `f${index}`)
          .filter((_, index) => index % 4 !== 0);
        t.eq(stayed.filter((name) => names.filter((other) => other === name).length !== 1), []);
      });
    },
  },
  {
    name: "getdents() is ENOTDIR on a file, EBADF on nothing, ENOENT when the directory is gone",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.mkdir("/d");
      within(fs, "/f", 0, (file) => t.fails("ENOTDIR", () => fs.getdents(file)));
      t.fails("EBADF", () => fs.getdents(999));
      within(fs, "/d", 0, (dir) => {
        fs.rmdir("/d");
        t.fails("ENOENT", () => fs.getdents(dir));
      });
    },
  },
];
