/** mknod, create, mkdev: special files. @module */
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK } from "../../abi/mode.ts";
import { ALICE, as, type Case, hear, modeOf, namesIn, say } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "mknod() makes FIFOs, sockets and devices with mode and number",
    needs: ["special files"],
    run(fs) {
      fs.umask(0);
      fs.mknod("/p", S_IFIFO | 0o640, 0);
      fs.mknod("/s", S_IFSOCK | 0o600, 0);
      fs.mknod("/c", S_IFCHR | 0o666, 0x1234);
      fs.mknod("/b", S_IFBLK | 0o660, 0x0801);
      fs.mknod("/f", S_IFREG | 0o604, 0);
    },
    check(fs, t) {
      const shown = ["/p", "/s", "/c", "/b", "/f"].map((path) => fs.stat(path));
      t.eq(shown.map((stat) => stat.mode), [0o010640, 0o140600, 0o020666, 0o060660, 0o100604]);
      t.eq([shown[2]!.rdev, shown[3]!.rdev], [0x1234, 0x0801]);
    },
    remount: true,
  },
  {
    name: "mknod() without type bits makes a file, which has no device number",
    run(fs, t) {
      fs.mknod("/f", 0o600, 0x0105);
      t.eq([fs.stat("/f").mode & S_IFMT, fs.stat("/f").rdev], [S_IFREG, 0]);
    },
  },
  {
    name: "mknod() of a device is for root, of a FIFO for every user",
    needs: ["special files"],
    run(fs, t) {
      fs.chmod("/", 0o777);
      as(fs, ALICE, () => {
        t.fails("EPERM", () => fs.mknod("/c", S_IFCHR | 0o666, 1));
        t.fails("EPERM", () => fs.mknod("/b", S_IFBLK | 0o666, 1));
        fs.mknod("/p", S_IFIFO | 0o666, 0);
        fs.mknod("/s", S_IFSOCK | 0o666, 0);
      });
      t.eq([fs.stat("/p").uid, modeOf(fs, "/p")], [1000, 0o644]);
    },
  },
  {
    name: "mknod() refuses names that exist or cannot be",
    run(fs, t) {
      fs.writeFile("/f", "");
      t.fails("EEXIST", () => fs.mknod("/f", S_IFIFO | 0o666, 0));
      t.fails("EEXIST", () => fs.mknod("/", S_IFIFO | 0o666, 0));
      t.fails("EEXIST", () => fs.mknod("/.", S_IFREG | 0o666, 0));
      t.fails("ENOENT", () => fs.mknod("", S_IFIFO | 0o666, 0));
      t.fails("ENOENT", () => fs.mknod("/missing/p", S_IFIFO | 0o666, 0));
      t.eq(namesIn(fs, "/").includes("missing"), false);
    },
  },
  {
    name: "mknod() of a directory is refused or makes one, and of a nonsense type EINVAL",
    run(fs, t) {
      t.fails("EINVAL", () => fs.mknod("/x", 0o030000 | 0o666, 0));
      try {
        fs.mknod("/d", S_IFDIR | 0o755, 0);
        t.eq(fs.stat("/d").nlink, 2);
      } catch (error) {
        t.ok(["EPERM", "EINVAL"].includes((error as { code: string }).code));
      }
    },
  },
  {
    name: "create() makes a file once",
    run(fs, t) {
      fs.create("/f", 0o600);
      t.eq(fs.stat("/f").mode, S_IFREG | 0o600);
      t.fails("EEXIST", () => fs.create("/f"));
    },
  },
  {
    name: "a FIFO carries bytes from its writer to its reader",
    needs: ["special files"],
    run(fs, t) {
      fs.mknod("/p", S_IFIFO | 0o666, 0);
      const reader = fs.open("/p", 0o4000);
      const writer = fs.open("/p", 1);
      t.fails("EAGAIN", () => hear(fs, reader));
      t.eq(say(fs, writer, "through"), 7);
      t.eq([hear(fs, reader, 3), hear(fs, reader)], ["thr", "ough"]);
      fs.close(writer);
      t.eq(hear(fs, reader), "");
      fs.close(reader);
      t.eq(fs.stat("/p").size, 0);
    },
  },
];
