/** llseek: from the start, from here, from the end, to data, to holes. @module */
import { SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET } from "../../abi/flags.ts";
import { S_IFIFO } from "../../abi/mode.ts";
import { type Case, hear, say, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "llseek() moves from the start, from here and from the end",
    run(fs, t) {
      fs.writeFile("/f", "0123456789");
      within(fs, "/f", "r", (stream) => {
        t.eq([fs.llseek(stream, 4, SEEK_SET), hear(fs, stream, 1)], [4, "4"]);
        t.eq([fs.llseek(stream, 2, SEEK_CUR), hear(fs, stream, 1)], [7, "7"]);
        t.eq([fs.llseek(stream, -1, SEEK_END), hear(fs, stream, 1)], [9, "9"]);
        t.eq([fs.llseek(stream, 100, SEEK_END), hear(fs, stream, 1)], [110, ""]);
      });
      t.eq(fs.stat("/f").size, 10);
    },
  },
  {
    name: "llseek() before the start, and with an unknown whence, is EINVAL and moves nothing",
    run(fs, t) {
      fs.writeFile("/f", "0123456789");
      within(fs, "/f", "r", (stream) => {
        fs.llseek(stream, 3, SEEK_SET);
        t.fails("EINVAL", () => fs.llseek(stream, -1, SEEK_SET));
        t.fails("EINVAL", () => fs.llseek(stream, -4, SEEK_CUR));
        t.fails("EINVAL", () => fs.llseek(stream, -11, SEEK_END));
        t.fails("EINVAL", () => fs.llseek(stream, 0, 9));
        t.fails("EINVAL", () => fs.llseek(stream, NaN, SEEK_SET));
        t.eq(stream.position, 3);
      });
    },
  },
  {
    name: "llseek() of a FIFO is ESPIPE",
    needs: ["special files"],
    run(fs, t) {
      fs.mknod("/p", S_IFIFO | 0o666, 0);
      within(fs, "/p", 2, (stream) => t.fails("ESPIPE", () => fs.llseek(stream, 0, SEEK_SET)));
    },
  },
  {
    name: "llseek() of a closed stream is EBADF",
    run(fs, t) {
      const stream = fs.open("/f", "w");
      fs.close(stream);
      t.fails("EBADF", () => fs.llseek(stream, 0, SEEK_SET));
    },
  },
  {
    name: "llseek() finds data after a hole, and the hole at the end",
    run(fs) {
      within(fs, "/f", "w", (stream) => say(fs, stream, "x", 2 ** 20));
    },
    check(fs, t) {
      within(fs, "/f", "r", (stream) => {
        const size = 2 ** 20 + 1;
        const data = fs.llseek(stream, 0, SEEK_DATA);
        t.ok(data <= 2 ** 20, "data begins no later than the byte");
        t.eq(fs.llseek(stream, 2 ** 20, SEEK_DATA), 2 ** 20);
        t.eq(fs.llseek(stream, 2 ** 20, SEEK_HOLE), size);
        t.ok(fs.llseek(stream, 0, SEEK_HOLE) <= 2 ** 20 || data === 0, "a hole before the data");
        t.fails("ENXIO", () => fs.llseek(stream, size, SEEK_DATA));
        t.fails("ENXIO", () => fs.llseek(stream, size, SEEK_HOLE));
      });
    },
    remount: true,
  },
  {
    name: "llseek() finds holes of a sparse file by the page",
    needs: ["holes"],
    run(fs) {
      within(fs, "/f", "w", (stream) => {
        say(fs, stream, "x", 2 ** 20);
        say(fs, stream, "y", 2 ** 21);
      });
    },
    check(fs, t) {
      within(fs, "/f", "r", (stream) => {
        t.eq(fs.llseek(stream, 0, SEEK_HOLE), 0);
        t.eq(fs.llseek(stream, 0, SEEK_DATA), 2 ** 20);
        t.eq(fs.llseek(stream, 2 ** 20, SEEK_HOLE), 2 ** 20 + 4096);
        t.eq(fs.llseek(stream, 2 ** 20 + 4096, SEEK_DATA), 2 ** 21);
      });
    },
    remount: true,
  },
];
