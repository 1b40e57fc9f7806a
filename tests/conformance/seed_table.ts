/** What an earlier implementation got wrong: each row of the measured table, so that it stays right. @module */
import { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR, O_WRONLY } from "../../abi/flags.ts";
import { type Case, hear, modeOf, namesIn, say, textOf, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "no ghost: rename a over b, unlink b, and b is gone",
    run(fs, t) {
      fs.writeFile("/a", "a");
      fs.writeFile("/b", "bbb");
      t.eq(fs.stat("/b").size, 3);
      fs.rename("/a", "/b");
      fs.unlink("/b");
      t.fails("ENOENT", () => fs.stat("/b"));
      t.eq(fs.analyzePath("/b").exists, false);
    },
  },
  {
    name: "a directory and a file may be called __proto__",
    run(fs) {
      fs.mkdir("/d");
      fs.mkdir("/d/__proto__");
      fs.writeFile("/d/__proto__/__proto__", "found");
    },
    check(fs, t) {
      t.eq(namesIn(fs, "/d"), ["__proto__"]);
      t.eq(textOf(fs, "/d/__proto__/__proto__"), "found");
    },
    remount: true,
  },
  {
    name: "write with canOwn at a position keeps the position",
    run(fs, t) {
      fs.writeFile("/f", "012345");
      within(fs, "/f", "r+", (stream) => {
        fs.write(stream, new Uint8Array([88, 89]), 0, 2, 4, true);
      });
      t.eq(textOf(fs, "/f"), "0123XY");
    },
  },
  {
    name: "a gap and a cut read as zeros",
    run(fs, t) {
      within(fs, "/f", "w+", (stream) => {
        say(fs, stream, "abc");
        fs.ftruncate(stream, 1);
        say(fs, stream, "z", 4);
        t.eq(hear(fs, stream, 9, 0), "a\0\0\0z");
      });
    },
  },
  {
    name: "dup shares position and flags, a second open does not",
    run(fs, t) {
      fs.writeFile("/f", "0123456789");
      const first = fs.open("/f", O_RDWR);
      const copy = fs.dup(first);
      const second = fs.open("/f", O_RDWR);
      hear(fs, first, 3);
      t.eq([copy.position, second.position], [3, 0]);
      fs.setFlags(copy, O_APPEND);
      t.eq([first.isAppend, second.isAppend], [true, false]);
      fs.close(first);
      t.eq(hear(fs, copy, 2), "34");
      fs.close(copy);
      fs.close(second);
    },
  },
  {
    name: "two appending descriptors interleave without loss",
    run(fs, t) {
      const [a, b] = [0, 1].map(() => fs.open("/f", O_WRONLY | O_CREAT | O_APPEND));
      for (let index = 0; index < 10; index++) {
        say(fs, a!, "a");
        say(fs, b!, "b");
      }
      fs.close(a!);
      fs.close(b!);
      t.eq(textOf(fs, "/f"), "ab".repeat(10));
    },
  },
  {
    name: "a lookup after the directory has moved finds the new place only",
    run(fs, t) {
      fs.mkdirTree("/one/d");
      fs.writeFile("/one/d/f", "x");
      fs.stat("/one/d/f");
      fs.rename("/one/d", "/d2");
      t.eq(textOf(fs, "/d2/f"), "x");
      t.fails("ENOENT", () => fs.stat("/one/d/f"));
      t.fails("ELOOP", () => {
        fs.symlink("d2", "/l");
        fs.open("/l", O_NOFOLLOW);
      });
    },
  },
  {
    name: "mkdir 02755 keeps setgid",
    run(fs, t) {
      fs.mkdir("/d", 0o2755);
      t.eq(modeOf(fs, "/d"), 0o2755);
    },
  },
];
