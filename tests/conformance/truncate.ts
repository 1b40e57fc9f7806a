/** truncate, ftruncate. @module */
import { O_RDONLY } from "../../abi/flags.ts";
import { S_IFIFO } from "../../abi/mode.ts";
import { ALICE, as, type Case, modeOf, say, textOf, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "truncate() cuts and extends with zeros",
    run(fs) {
      fs.writeFile("/f", "0123456789");
      fs.truncate("/f", 4);
      fs.truncate("/f", 6);
    },
    check(fs, t) {
      t.eq(textOf(fs, "/f"), "0123\0\0");
    },
    remount: true,
  },
  {
    name: "truncate() down and up again reads zeros, over many blocks",
    run(fs) {
      fs.writeFile("/f", new Uint8Array(300_000).fill(7));
      fs.truncate("/f", 5000);
      fs.truncate("/f", 300_000);
    },
    check(fs, t) {
      const bytes = fs.readFile("/f");
      t.eq([bytes.length, bytes.lastIndexOf(7)], [300_000, 4999]);
    },
    remount: true,
  },
  {
    name: "truncate() then a write past the end leaves zeros between",
    run(fs) {
      fs.writeFile("/f", new Uint8Array(9000).fill(7));
      fs.truncate("/f", 100);
      within(fs, "/f", "r+", (stream) => say(fs, stream, "x", 8000));
    },
    check(fs, t) {
      const bytes = fs.readFile("/f");
      t.eq([bytes.length, bytes.lastIndexOf(7)], [8001, 99]);
    },
    remount: true,
  },
  {
    name: "truncate() moves mtime and ctime",
    needs: ["clock"],
    run(fs, t) {
      fs.writeFile("/f", "12345");
      const now = t.tick();
      fs.truncate("/f", 2);
      t.eq([fs.stat("/f").mtimeMs, fs.stat("/f").ctimeMs], [now, now]);
    },
  },
  {
    name: "truncate() refuses invalid sizes, and EFBIG is no RangeError",
    run(fs, t) {
      fs.writeFile("/f", "12345");
      for (const size of [-1, 1.5, NaN, -Infinity]) {
        t.fails("EINVAL", () => fs.truncate("/f", size), `${size}`);
      }
      t.fails("EINVAL", () => fs.truncate("/f", "9" as never));
      let code = "";
      try {
        fs.truncate("/f", Number.MAX_SAFE_INTEGER);
      } catch (error) {
        code = (error as { code: string }).code;
      }
      t.ok(code === "" || code === "EFBIG", code);
      if (code !== "") t.eq(fs.stat("/f").size, 5);
    },
  },
  {
    name: "truncate() to 2^33 makes a hole, or is EFBIG",
    run(fs, t) {
      fs.writeFile("/f", "start");
      let code = "";
      try {
        fs.truncate("/f", 2 ** 33);
      } catch (error) {
        code = (error as { code: string }).code;
      }
      t.ok(code === "" || code === "EFBIG", code);
      t.eq(fs.stat("/f").size, code === "" ? 2 ** 33 : 5);
    },
  },
  {
    name: "truncate() is EISDIR on a directory, ENOENT on nothing",
    run(fs, t) {
      fs.mkdir("/d");
      t.fails("EISDIR", () => fs.truncate("/d", 0));
      t.fails("ENOENT", () => fs.truncate("/missing", 0));
    },
  },
  {
    name: "truncate() of a FIFO is EINVAL",
    needs: ["special files"],
    run(fs, t) {
      fs.mknod("/p", S_IFIFO | 0o666, 0);
      t.fails("EINVAL", () => fs.truncate("/p", 0));
    },
  },
  {
    name: "truncate() needs write permission, ftruncate() a stream to write",
    run(fs, t) {
      fs.writeFile("/f", "12345", { mode: 0o644 });
      as(fs, ALICE, () => t.fails("EACCES", () => fs.truncate("/f", 0)));
      within(fs, "/f", O_RDONLY, (stream) => t.fails("EINVAL", () => fs.ftruncate(stream, 0)));
      within(fs, "/f", "r+", (stream) => {
        fs.chmod("/f", 0);
        fs.ftruncate(stream.fd!, 3);
      });
      t.eq(fs.stat("/f").size, 3);
      t.fails("EBADF", () => fs.ftruncate(999, 0));
    },
  },
  {
    name: "ftruncate() leaves the position where it is",
    run(fs, t) {
      within(fs, "/f", "w+", (stream) => {
        say(fs, stream, "0123456789");
        fs.ftruncate(stream, 2);
        t.eq(stream.position, 10);
        say(fs, stream, "x");
      });
      t.eq(fs.stat("/f").size, 11);
    },
  },
  {
    name: "truncate() by an unprivileged user takes suid and sgid away",
    run(fs, t) {
      fs.writeFile("/f", "12345");
      fs.chmod("/f", 0o6777);
      as(fs, ALICE, () => fs.truncate("/f", 2));
      t.eq(modeOf(fs, "/f"), 0o777);
    },
  },
];
