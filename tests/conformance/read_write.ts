/** read and write: positions, counts, kinds of views, appending, holes. @module */
import { O_APPEND, O_CREAT, O_NOATIME, O_RDONLY, O_RDWR, O_WRONLY } from "../../abi/flags.ts";
import { ALICE, as, bytesOf, type Case, hear, modeOf, say, textOf, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "write() moves the position, write() at a position does not",
    run(fs, t) {
      within(fs, "/f", "w+", (stream) => {
        t.eq([say(fs, stream, "hello"), stream.position], [5, 5]);
        t.eq([say(fs, stream, "J", 0), stream.position], [1, 5]);
        t.eq([hear(fs, stream, 9, 0), stream.position], ["Jello", 5]);
        t.eq(hear(fs, stream), "");
      });
    },
    check(fs, t) {
      t.eq(textOf(fs, "/f"), "Jello");
    },
    remount: true,
  },
  {
    name: "write() takes its part of the buffer and no more",
    run(fs, t) {
      within(fs, "/f", "w", (stream) => {
        const bytes = new Uint8Array([1, 2, 3, 4, 5]);
        t.eq(fs.write(stream, bytes, 1, 3), 3);
        t.eq(fs.write(stream, bytes.subarray(3), 0, 1), 1);
        t.eq(fs.write(stream, bytes, 5, 0), 0);
      });
    },
    check(fs, t) {
      t.eq(fs.readFile("/f"), new Uint8Array([2, 3, 4, 4]));
    },
    remount: true,
  },
  {
    name: "read() fills its part of the buffer and no more",
    run(fs, t) {
      fs.writeFile("/f", new Uint8Array([1, 2, 3, 4, 5]));
      within(fs, "/f", "r", (stream) => {
        const into = new Uint8Array(6).fill(9);
        t.eq(fs.read(stream, into, 2, 3, 1), 3);
        t.eq(into, new Uint8Array([9, 9, 2, 3, 4, 9]));
        t.eq(fs.read(stream, into, 0, 6, 3), 2);
        t.eq(fs.read(stream, into, 0, 6, 5), 0);
        t.eq(fs.read(stream, into, 0, 6, 2 ** 40), 0);
        t.eq(into, new Uint8Array([4, 5, 2, 3, 4, 9]));
      });
    },
  },
  {
    name: "write() takes bytes of any view, shared memory too",
    run(fs, t) {
      const words = new Uint16Array([0x0201, 0x0403, 0x0605]);
      const shared = new Uint8Array(new SharedArrayBuffer(4));
      shared.set([7, 8, 9, 10]);
      within(fs, "/f", "w", (stream) => {
        fs.write(stream, words.subarray(1), 0, 4);
        fs.write(stream, new DataView(words.buffer, 1, 2), 0, 2);
        fs.write(stream, shared, 1, 2);
        fs.write(stream, new Int8Array([-1]), 0, 1);
      });
      t.eq(fs.readFile("/f"), new Uint8Array([3, 4, 5, 6, 2, 3, 8, 9, 255]));
    },
  },
  {
    name: "read() fills any view, shared memory too",
    run(fs, t) {
      fs.writeFile("/f", new Uint8Array([1, 2, 3, 4]));
      within(fs, "/f", "r", (stream) => {
        const words = new Uint16Array(2);
        const shared = new Uint8Array(new SharedArrayBuffer(4));
        t.eq([fs.read(stream, words, 0, 4, 0), [...words]], [4, [0x0201, 0x0403]]);
        t.eq([fs.read(stream, shared, 1, 2, 0), [...shared]], [2, [0, 1, 2, 0]]);
      });
    },
  },
  {
    name: "read() and write() refuse what the stream was not opened for",
    run(fs, t) {
      fs.writeFile("/f", "x");
      within(fs, "/f", O_RDONLY, (stream) => t.fails("EBADF", () => say(fs, stream, "y")));
      within(fs, "/f", O_WRONLY, (stream) => t.fails("EBADF", () => hear(fs, stream)));
      const closed = fs.open("/f", O_RDWR);
      fs.close(closed);
      t.fails("EBADF", () => hear(fs, closed));
      t.fails("EBADF", () => say(fs, closed, "y"));
    },
  },
  {
    name: "read() of a directory is EISDIR",
    run(fs, t) {
      fs.mkdir("/d");
      within(fs, "/d", O_RDONLY, (stream) => t.fails("EISDIR", () => hear(fs, stream)));
    },
  },
  {
    name: "read() and write() refuse ranges that are not in the buffer",
    run(fs, t) {
      within(fs, "/f", "w+", (stream) => {
        const bytes = new Uint8Array(4);
        const wrong = [[-1, 1], [0, -1], [5, 0], [0.5, 1], [0, NaN], [2 ** 53, 1], [0, 2 ** 25]];
        for (const [offset, length] of wrong) {
          t.fails("EINVAL", () => fs.write(stream, bytes, offset!, length!), `${offset} ${length}`);
        }
        for (const [offset, length] of [...wrong, [0, 5], [1, 4]]) {
          t.fails("EINVAL", () => fs.read(stream, bytes, offset!, length!), `${offset} ${length}`);
        }
        t.fails("EINVAL", () => fs.write(stream, bytes, 0, 4, -1));
        t.fails("EINVAL", () => fs.read(stream, bytes, 0, 4, 0.5));
      });
      t.eq(fs.stat("/f").size, 0);
    },
  },
  {
    name: "write() with O_APPEND goes to the end, at a position too",
    run(fs, t) {
      fs.writeFile("/f", "start ");
      within(fs, "/f", O_WRONLY | O_APPEND, (stream) => {
        fs.llseek(stream, 0, 0);
        t.eq([say(fs, stream, "more "), stream.position], [5, 11]);
        t.eq(say(fs, stream, "end", 0), 3);
      });
    },
    check(fs, t) {
      t.eq(textOf(fs, "/f"), "start more end");
    },
    remount: true,
  },
  {
    name: "read() with O_APPEND starts at the start",
    run(fs, t) {
      fs.writeFile("/f", "abc");
      within(fs, "/f", O_RDWR | O_APPEND, (stream) => t.eq(hear(fs, stream, 2), "ab"));
    },
  },
  {
    name: "write() of more than the view has writes zeros for the rest, as Emscripten does",
    run(fs, t) {
      within(fs, "/f", "w+", (stream) => {
        const bytes = new Uint8Array([1, 2, 3, 4]);
        t.eq([fs.write(stream, bytes, 0, 6), fs.write(stream, bytes, 3, 2, 6)], [6, 2]);
        t.eq([fs.write(stream, bytes, 9, 2, 8), stream.position], [2, 6]);
      });
      t.eq([...fs.readFile("/f") as Uint8Array], [1, 2, 3, 4, 0, 0, 4, 0, 0, 0]);
    },
  },
  {
    name: "write() beyond the end leaves zeros between",
    run(fs) {
      within(fs, "/f", "w", (stream) => {
        say(fs, stream, "ab");
        say(fs, stream, "yz", 10_000);
      });
    },
    check(fs, t) {
      const bytes = fs.readFile("/f");
      t.eq([bytes.length, bytes[1], bytes[10_000]], [10_002, 98, 121]);
      t.eq(bytes.slice(2, 10_000).some((byte) => byte !== 0), false);
    },
    remount: true,
  },
  {
    name: "write() moves mtime and ctime, and not atime",
    needs: ["clock"],
    run(fs, t) {
      fs.writeFile("/f", "x");
      const before = fs.stat("/f").atimeMs;
      const now = t.tick();
      within(fs, "/f", "r+", (stream) => say(fs, stream, "y"));
      const { atimeMs, mtimeMs, ctimeMs } = fs.stat("/f");
      t.eq([atimeMs, mtimeMs, ctimeMs], [before, now, now]);
    },
  },
  {
    name: "write() of nothing changes nothing",
    needs: ["clock"],
    run(fs, t) {
      fs.writeFile("/f", "x");
      const { mtimeMs } = fs.stat("/f");
      t.tick();
      within(fs, "/f", "r+", (stream) => t.eq(fs.write(stream, new Uint8Array(0), 0, 0, 99), 0));
      t.eq([fs.stat("/f").mtimeMs, fs.stat("/f").size], [mtimeMs, 1]);
    },
  },
  {
    name: "read() moves atime once after a change (relatime)",
    needs: ["clock"],
    run(fs, t) {
      fs.writeFile("/f", "x");
      const now = t.tick();
      within(fs, "/f", "r", (stream) => hear(fs, stream));
      t.eq(fs.stat("/f").atimeMs, now);
      t.tick();
      within(fs, "/f", "r", (stream) => hear(fs, stream));
      t.eq(fs.stat("/f").atimeMs, now);
      const later = t.tick(86_400_000);
      within(fs, "/f", "r", (stream) => hear(fs, stream));
      t.eq(fs.stat("/f").atimeMs, later);
    },
  },
  {
    name: "write() by an unprivileged user takes suid and sgid away",
    run(fs, t) {
      fs.writeFile("/f", "x");
      fs.chmod("/f", 0o6777);
      within(fs, "/f", "r+", (stream) => say(fs, stream, "y"));
      t.eq(modeOf(fs, "/f"), 0o6777);
      as(fs, ALICE, () => within(fs, "/f", "r+", (stream) => say(fs, stream, "y")));
      t.eq(modeOf(fs, "/f"), 0o777);
    },
  },
  {
    name: "write() and read() go on after unlink and after rename over",
    run(fs, t) {
      fs.writeFile("/a", "first");
      fs.writeFile("/b", "other");
      const stream = fs.open("/a", "r+");
      fs.rename("/b", "/a");
      t.eq([say(fs, stream, "F", 0), hear(fs, stream, 9, 0)], [1, "First"]);
      fs.unlink("/a");
      t.eq([fs.fstat(stream).nlink, fs.fstat(stream).size], [0, 5]);
      fs.ftruncate(stream, 2);
      fs.fchmod(stream, 0o600);
      t.eq([hear(fs, stream, 9, 0), fs.fstat(stream).mode & 0o777], ["Fi", 0o600]);
      fs.close(stream);
      t.fails("ENOENT", () => fs.stat("/a"));
    },
  },
  {
    name: "write() of much in odd pieces reads back the same",
    run(fs) {
      within(fs, "/f", "w", (stream) => {
        const piece = new Uint8Array(7919);
        for (let at = 0; at < 300_000; at += piece.length) {
          for (let index = 0; index < piece.length; index++) piece[index] = (at + index) % 251;
          fs.write(stream, piece, 0, piece.length);
        }
      });
    },
    check(fs, t) {
      const bytes = fs.readFile("/f");
      t.eq(bytes.length, 300_922);
      t.eq(bytes.findIndex((byte, index) => byte !== index % 251), -1);
    },
    remount: true,
  },
  {
    name: "write() up to the longest length is right, beyond it EFBIG",
    run(fs, t) {
      within(fs, "/f", O_RDWR | O_CREAT, (stream) => {
        t.fails("EFBIG", () => say(fs, stream, "x", Number.MAX_SAFE_INTEGER));
        t.fails("EFBIG", () => say(fs, stream, "x", 2 ** 53));
        t.eq(fs.stat("/f").size, 0);
      });
    },
  },
  {
    name: "write() through two streams is seen by both at once",
    run(fs, t) {
      within(fs, "/f", "w+", (a) => {
        within(fs, "/f", "r+", (b) => {
          say(fs, a, "from a");
          t.eq(hear(fs, b), "from a");
          fs.write(b, bytesOf("FROM"), 0, 4, 0);
          t.eq(hear(fs, a, 9, 0), "FROM a");
        });
      });
    },
  },
  {
    name: "read() with O_NOATIME moves no atime",
    needs: ["clock"],
    run(fs, t) {
      fs.writeFile("/f", new Uint8Array(10_000).fill(65));
      t.tick();
      fs.utime("/f", 5000, 6000);
      t.tick();
      for (const length of [1, 10_000]) {
        const stream = fs.open("/f", O_RDONLY | O_NOATIME);
        t.eq(fs.read(stream, new Uint8Array(length), 0, length), length);
        fs.setFlags(stream, 0);
        t.eq(fs.stat("/f").atimeMs, 5000);
        fs.close(stream);
      }
      const now = t.tick();
      fs.readFile("/f");
      t.eq(fs.stat("/f").atimeMs, now);
    },
  },
];
