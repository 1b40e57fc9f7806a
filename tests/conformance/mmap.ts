/** mmap, msync, munmap, and who sees what. @module */
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from "../../abi/flags.ts";
import { type Case, hear, say, textOf, within } from "./case.ts";

const BOTH = PROT_READ | PROT_WRITE;

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "mmap() shared: two maps of a file are one memory, and the file sees their stores",
    run(fs, t) {
      fs.writeFile("/f", "0123456789");
      const [a, b] = [fs.open("/f", "r+"), fs.open("/f", "r+")];
      const [one, two] = [a, b].map((stream) => fs.mmap(stream, 10, 0, BOTH, MAP_SHARED));
      one!.bytes[3] = 88;
      t.eq(two!.bytes[3], 88);
      t.eq(hear(fs, a, 10, 0), "012X456789");
      say(fs, b, "Y", 4);
      t.eq(one!.bytes[4], 89);
      fs.munmap(one!);
      fs.munmap(two!);
      fs.close(a);
      fs.close(b);
    },
    check(fs, t) {
      t.eq(textOf(fs, "/f"), "012XY56789");
    },
    remount: true,
  },
  {
    name: "mmap() private: stores stay with the map",
    run(fs, t) {
      fs.writeFile("/f", "0123456789");
      within(fs, "/f", "r", (stream) => {
        const map = fs.mmap(stream, 10, 0, BOTH, MAP_PRIVATE);
        map.bytes[0] = 88;
        fs.munmap(map);
      });
      t.eq(textOf(fs, "/f"), "0123456789");
    },
  },
  {
    name: "mmap() goes on after close, and munmap() writes back",
    run(fs) {
      fs.writeFile("/f", "0123456789");
      const stream = fs.open("/f", "r+");
      const map = fs.mmap(stream, 10, 0, BOTH, MAP_SHARED);
      fs.close(stream);
      map.bytes.set([65, 66], 8);
      fs.munmap(map);
    },
    check(fs, t) {
      t.eq(textOf(fs, "/f"), "01234567AB");
    },
    remount: true,
  },
  {
    name: "mmap() refuses directions, lengths and kinds that cannot be",
    run(fs, t) {
      fs.writeFile("/f", "0123456789");
      fs.mkdir("/d");
      within(fs, "/f", "r", (stream) => {
        t.fails("EACCES", () => fs.mmap(stream, 10, 0, BOTH, MAP_SHARED));
        t.fails("EINVAL", () => fs.mmap(stream, 0, 0, PROT_READ, MAP_SHARED));
        t.fails("EINVAL", () => fs.mmap(stream, 10, 1, PROT_READ, MAP_SHARED));
        t.fails("EINVAL", () => fs.mmap(stream, 10, 0, PROT_READ, 0));
      });
      within(fs, "/f", 1, (stream) => {
        t.fails("EACCES", () => fs.mmap(stream, 10, 0, PROT_READ, MAP_PRIVATE));
      });
      within(fs, "/d", 0, (stream) => {
        t.fails("ENODEV", () => fs.mmap(stream, 10, 0, PROT_READ, MAP_SHARED));
      });
    },
  },
];
