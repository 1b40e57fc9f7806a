/** utime, utimens, lutimens, futimens, utimensat. @module */
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, UTIME_NOW, UTIME_OMIT } from "../../abi/flags.ts";
import { ALICE, as, BOB, type Case, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "utime() sets two times in ms and moves ctime",
    needs: ["clock"],
    run(fs, t) {
      fs.writeFile("/f", "");
      const now = t.tick();
      fs.utime("/f", 1000, 2000.5);
      t.eq(fs.stat("/f").ctimeMs, now);
    },
    check(fs, t) {
      t.eq([fs.stat("/f").atimeMs, fs.stat("/f").mtimeMs], [1000, 2000.5]);
    },
    remount: true,
  },
  {
    name: "utimens() sets seconds and ns, now, or leaves a time alone",
    needs: ["clock"],
    run(fs, t) {
      fs.writeFile("/f", "");
      const now = t.tick();
      fs.utimens("/f", [5, 500_000_000], [0, UTIME_OMIT]);
      const { atimeMs, mtimeMs } = fs.stat("/f");
      t.eq([atimeMs, mtimeMs], [5500, now - 1000]);
      fs.utimens("/f", [0, UTIME_OMIT], [0, UTIME_NOW]);
      t.eq([fs.stat("/f").atimeMs, fs.stat("/f").mtimeMs], [5500, now]);
      fs.utimens("/f", [0, UTIME_NOW], [7, 0]);
      t.eq([fs.stat("/f").atimeMs, fs.stat("/f").mtimeMs], [now, 7000]);
    },
  },
  {
    name: "utimens() with two omitted times changes nothing, ctime neither",
    needs: ["clock"],
    run(fs, t) {
      fs.writeFile("/f", "");
      const before = fs.stat("/f").ctimeMs;
      t.tick();
      fs.utimens("/f", [0, UTIME_OMIT], [0, UTIME_OMIT]);
      t.eq(fs.stat("/f").ctimeMs, before);
    },
  },
  {
    name: "utimens() follows a link, lutimens() does not",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.symlink("f", "/l");
      fs.utimens("/l", [1, 0], [1, 0]);
      fs.lutimens("/l", [2, 0], [2, 0]);
      t.eq([fs.stat("/f").mtimeMs, fs.lstat("/l").mtimeMs], [1000, 2000]);
      fs.utimensat(AT_FDCWD, "/l", [3, 0], [3, 0], AT_SYMLINK_NOFOLLOW);
      t.eq([fs.stat("/f").mtimeMs, fs.lstat("/l").mtimeMs], [1000, 3000]);
    },
  },
  {
    name: "utimens(): explicit times are for the owner, now also for who may write",
    run(fs, t) {
      fs.writeFile("/f", "", { mode: 0o644 });
      fs.chown("/f", 1000, 1000);
      fs.chmod("/f", 0o666);
      as(fs, ALICE, () => fs.utimens("/f", [1, 0], [1, 0]));
      as(fs, BOB, () => {
        fs.utimens("/f");
        t.fails("EPERM", () => fs.utimens("/f", [1, 0], [1, 0]));
        t.fails("EPERM", () => fs.utimens("/f", [0, UTIME_NOW], [1, 0]));
      });
      fs.chmod("/f", 0o644);
      as(fs, BOB, () => t.fails("EACCES", () => fs.utimens("/f")));
    },
  },
  {
    name: "futimens() reaches a file without a name",
    run(fs, t) {
      fs.writeFile("/f", "");
      within(fs, "/f", "r", (stream) => {
        fs.unlink("/f");
        fs.futimens(stream, [9, 0], [8, 0]);
        const { atimeMs, mtimeMs } = fs.fstat(stream);
        t.eq([atimeMs, mtimeMs], [9000, 8000]);
      });
    },
  },
  {
    name: "utimens() refuses invalid ns",
    run(fs, t) {
      fs.writeFile("/f", "");
      t.fails("EINVAL", () => fs.utimens("/f", [0, 1_000_000_000], [0, 0]));
      t.fails("EINVAL", () => fs.utimens("/f", [NaN, 0], [0, 0]));
      t.fails("ENOENT", () => fs.utimens("/missing", [0, 0], [0, 0]));
    },
  },
  {
    name: "utimens() keeps times before 1970 and after 2038",
    run(fs) {
      fs.writeFile("/f", "");
      fs.utimens("/f", [-1_000_000, 0], [5_000_000_000, 0]);
    },
    check(fs, t) {
      t.eq([fs.stat("/f").atimeMs, fs.stat("/f").mtimeMs], [-1e9, 5e12]);
    },
    remount: true,
  },
];
