/** allocate and fallocate: owning, keeping the size, punching holes, zeroing. @module */
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
} from "../../abi/flags.ts";
import { ALICE, as, type Case, modeOf, within } from "./case.ts";

const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "allocate() owns a range and makes the file as long",
    needs: ["allocation"],
    run(fs) {
      fs.writeFile("/f", "start");
      within(fs, "/f", "r+", (stream) => fs.allocate(stream, 0, 100_000));
    },
    check(fs, t) {
      const { size, blocks } = fs.stat("/f");
      t.ok(blocks * 512 >= 100_000, `${blocks} blocks`);
      t.eq([size, fs.readFile("/f").slice(0, 6)], [
        100_000,
        new Uint8Array([115, 116, 97, 114, 116, 0]),
      ]);
    },
    remount: true,
  },
  {
    name: "fallocate() with KEEP_SIZE owns without a change of size",
    needs: ["allocation"],
    run(fs, t) {
      fs.writeFile("/f", "start");
      within(fs, "/f", "r+", (stream) => {
        fs.fallocate(stream, FALLOC_FL_KEEP_SIZE, 0, 65536);
        fs.write(stream, new Uint8Array([33]), 0, 1, 40_000);
      });
      t.ok(fs.stat("/f").blocks >= 128, "it owns 64 KiB");
    },
    check(fs, t) {
      const bytes = fs.readFile("/f");
      t.eq([bytes.length, bytes.findLastIndex((byte, at) => byte !== 0 && at < 40_000)], [
        40_001,
        4,
      ]);
    },
    remount: true,
  },
  {
    name: "fallocate() with PUNCH_HOLE zeroes a range and gives whole blocks back",
    needs: ["allocation"],
    run(fs, t) {
      fs.writeFile("/f", new Uint8Array(200_000).fill(7));
      const before = fs.stat("/f").blocks;
      within(fs, "/f", "r+", (stream) => fs.fallocate(stream, PUNCH, 10_000, 100_000));
      t.ok(fs.stat("/f").blocks <= before - 160, "blocks have gone");
    },
    check(fs, t) {
      const bytes = fs.readFile("/f");
      t.eq([bytes.length, bytes.indexOf(0), bytes.lastIndexOf(0)], [200_000, 10_000, 109_999]);
    },
    remount: true,
  },
  {
    name: "fallocate() with ZERO_RANGE zeroes and stays owned",
    needs: ["allocation"],
    run(fs, t) {
      fs.writeFile("/f", new Uint8Array(100_000).fill(7));
      const before = fs.stat("/f").blocks;
      within(fs, "/f", "r+", (stream) => fs.fallocate(stream, FALLOC_FL_ZERO_RANGE, 5, 99_990));
      t.ok(fs.stat("/f").blocks >= before, "nothing is given back");
    },
    check(fs, t) {
      const bytes = fs.readFile("/f");
      t.eq([bytes.length, bytes.indexOf(0), bytes.lastIndexOf(0)], [100_000, 5, 99_994]);
    },
    remount: true,
  },
  {
    name: "fallocate() refuses what makes no sense, and ENOSPC changes nothing",
    isSmall: true,
    run(fs, t) {
      fs.writeFile("/f", "x");
      within(fs, "/f", "r+", (stream) => {
        t.fails("EINVAL", () => fs.allocate(stream, 0, 0));
        t.fails("EINVAL", () => fs.allocate(stream, -1, 10));
        t.fails("ENOTSUP", () => fs.fallocate(stream, FALLOC_FL_PUNCH_HOLE, 0, 10));
        t.fails("ENOSPC", () => fs.allocate(stream, 0, 2 ** 30));
      });
      within(fs, "/f", "r", (stream) => t.fails("EBADF", () => fs.allocate(stream, 0, 10)));
      t.eq(fs.stat("/f").size, 1);
    },
  },
  {
    name: "fallocate() by an unprivileged user takes suid and sgid away",
    needs: ["allocation"],
    run(fs, t) {
      fs.writeFile("/f", "x");
      fs.chown("/f", 1000, 1000);
      as(fs, ALICE, () => {
        for (const mode of [0, PUNCH]) {
          fs.chmod("/f", 0o6755);
          within(fs, "/f", "r+", (stream) => fs.fallocate(stream, mode, 0, 10));
          t.eq(modeOf(fs, "/f"), 0o755);
        }
      });
    },
  },
];
