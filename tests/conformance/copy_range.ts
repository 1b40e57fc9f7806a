/** copy_file_range: bytes between two open files of any backend. @module */
import { MAP_SHARED, PROT_READ, SEEK_CUR } from "../../abi/flags.ts";
import { ALICE, as, bytesOf, type Case, modeOf, textOf, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "copy_file_range() copies at positions, or from where the descriptors stand",
    run(fs, t) {
      fs.writeFile("/from", "hello world");
      fs.writeFile("/to", "......");
      within(fs, "/from", "r", (from) =>
        within(fs, "/to", "r+", (to) => {
          const where = () => [fs.llseek(from, 0, SEEK_CUR), fs.llseek(to, 0, SEEK_CUR)];
          t.eq(fs.copy_file_range(from, 6, to, 1, 5), 5);
          t.eq([textOf(fs, "/to"), where()], [".world", [0, 0]]);
          t.eq(fs.copy_file_range(from.fd!, null, to.fd!, undefined, 5), 5);
          t.eq([textOf(fs, "/to"), where()], ["hellod", [5, 5]]);
          t.eq(fs.copy_file_range(from, null, to, 8, 100), 6);
          t.eq(where(), [11, 5]);
          t.eq(fs.copy_file_range(from, null, to, null, 100), 0);
          t.eq(fs.copy_file_range(from, 0, to, 0, 0), 0);
        }));
    },
    check(fs, t) {
      t.eq(textOf(fs, "/to"), "hellod\0\0 world");
      t.eq(textOf(fs, "/from"), "hello world");
    },
    remount: true,
  },
  {
    name: "copy_file_range() in a loop copies a long file, and parts that were never written",
    run(fs) {
      const bytes = Uint8Array.from({ length: 300_001 }, (_, at) => at * 7 + (at >> 8));
      fs.writeFile("/from", bytes);
      fs.truncate("/from", 900_000);
      within(fs, "/from", "r+", (stream) => fs.write(stream, bytes, 0, 3, 800_000));
      within(fs, "/from", "r", (from) =>
        within(fs, "/to", "w", (to) => {
          while (fs.copy_file_range(from, null, to, null, 200_000) > 0);
        }));
    },
    check(fs, t) {
      t.eq(fs.stat("/to").size, 900_000);
      t.eq(fs.readFile("/to"), fs.readFile("/from"));
    },
    remount: true,
  },
  {
    name: "copy_file_range() within one file takes no ranges that overlap",
    run(fs, t) {
      fs.writeFile("/f", "abcdef");
      fs.symlink("/f", "/same");
      within(fs, "/f", "r+", (one) =>
        within(fs, "/same", "r+", (two) => {
          t.fails("EINVAL", () => fs.copy_file_range(one, 0, two, 2, 3));
          t.fails("EINVAL", () => fs.copy_file_range(one, 2, one, 0, 100));
          t.eq(fs.copy_file_range(one, 3, two, 0, 3), 3);
          t.eq(fs.copy_file_range(two, 0, one, 6, 100), 6);
        }));
      t.eq(textOf(fs, "/f"), "defdefdefdef");
    },
  },
  {
    name: "copy_file_range() wants a file to read and a file to write, and no O_APPEND",
    run(fs, t) {
      fs.writeFile("/f", "x");
      fs.mkdir("/d");
      const [read, write, append, folder] = [
        fs.open("/f", "r"),
        fs.open("/f", "r+"),
        fs.open("/f", "a"),
        fs.open("/d", "r"),
      ];
      const copy = (...args: Parameters<typeof fs.copy_file_range>) => () =>
        fs.copy_file_range(...args);
      t.fails("EBADF", copy(read, 0, read, 5, 1));
      t.fails("EBADF", copy(append, 0, write, 5, 1));
      t.fails("EBADF", copy(read, 0, append, 5, 1));
      t.fails("EBADF", copy(99, 0, write, 5, 1));
      t.fails("EISDIR", copy(folder, 0, write, 5, 1));
      t.fails("EINVAL", copy(read, 0, write, 5, 1, 1));
      for (const bad of [-1, 0.5, NaN]) {
        t.fails("EINVAL", copy(read, bad, write, 5, 1));
        t.fails("EINVAL", copy(read, 0, write, bad, 1));
        t.fails("EINVAL", copy(read, 0, write, 5, bad));
      }
      t.fails("EOVERFLOW", copy(read, Number.MAX_SAFE_INTEGER, write, 5, 1));
      for (const stream of [read, write, append, folder]) fs.close(stream);
      t.eq(textOf(fs, "/f"), "x");
    },
  },
  {
    name: "copy_file_range() by an unprivileged user takes suid and sgid away, where bytes came",
    run(fs, t) {
      fs.writeFile("/from", "x");
      fs.writeFile("/to", "");
      fs.chown("/to", 1000, 1000);
      as(fs, ALICE, () => {
        fs.chmod("/to", 0o6755);
        within(fs, "/from", "r", (from) =>
          within(fs, "/to", "r+", (to) => {
            t.eq(fs.copy_file_range(from, 1, to, 0, 1), 0);
            t.eq(modeOf(fs, "/to"), 0o6755);
            t.eq(fs.copy_file_range(from, 0, to, 0, 1), 1);
            t.eq(modeOf(fs, "/to"), 0o755);
          }));
      });
    },
  },
  {
    name: "copy_file_range() copies what a map holds, and a map sees what was copied",
    run(fs, t) {
      fs.writeFile("/from", "from");
      fs.writeFile("/to", "....");
      within(fs, "/from", "r", (from) =>
        within(fs, "/to", "r+", (to) => {
          const map = fs.mmap(to, 4, 0, PROT_READ, MAP_SHARED);
          t.eq(fs.copy_file_range(from, 0, to, 0, 4), 4);
          t.eq(map.bytes.slice(0, 4), bytesOf("from"));
          fs.munmap(map);
        }));
    },
  },
];
