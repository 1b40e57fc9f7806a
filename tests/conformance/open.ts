/** open: flags, descriptors, what is made and what is refused. @module */
import {
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
} from "../../abi/flags.ts";
import { S_IFCHR, S_IFIFO, S_IFSOCK } from "../../abi/mode.ts";
import { ALICE, as, type Case, hear, modeOf, namesIn, say, textOf, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "open() with O_CREAT makes a file with mode and umask",
    run(fs, t) {
      fs.close(fs.open("/f", O_RDWR | O_CREAT, 0o666));
      t.eq(modeOf(fs, "/f"), 0o644);
    },
    check(fs, t) {
      t.eq([fs.stat("/f").size, fs.stat("/f").nlink], [0, 1]);
    },
    remount: true,
  },
  {
    name: "open() with O_CREAT and mode 0 gives a stream that may write",
    run(fs, t) {
      fs.mkdir("/d");
      fs.chown("/d", 1000, 1000);
      as(fs, ALICE, () => {
        const stream = fs.open("/d/f", O_RDWR | O_CREAT, 0);
        t.eq(say(fs, stream, "x"), 1);
        fs.close(stream);
        t.fails("EACCES", () => fs.open("/d/f", O_RDONLY));
      });
    },
  },
  {
    name: "open() with O_CREAT and O_EXCL is EEXIST on anything, dangling links too",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.mkdir("/d");
      fs.symlink("nowhere", "/l");
      for (const path of ["/f", "/d", "/l"]) {
        t.fails("EEXIST", () => fs.open(path, O_RDWR | O_CREAT | O_EXCL), path);
      }
      t.eq(namesIn(fs, "/").includes("nowhere"), false);
    },
  },
  {
    name: "open() with O_CREAT through a dangling link makes its target",
    run(fs, t) {
      fs.mkdir("/d");
      fs.symlink("d/made", "/l");
      fs.close(fs.open("/l", O_WRONLY | O_CREAT));
      t.eq(namesIn(fs, "/d"), ["made"]);
      fs.symlink("missing/made", "/m");
      t.fails("ENOENT", () => fs.open("/m", O_WRONLY | O_CREAT));
    },
  },
  {
    name: "open() is ENOENT for what is not there, and for an empty path",
    run(fs, t) {
      t.fails("ENOENT", () => fs.open("/missing", "r"));
      t.fails("ENOENT", () => fs.open("/missing/f", "w"));
      t.fails("ENOENT", () => fs.open("", "r"));
    },
  },
  {
    name: "open() is ENOTDIR below a file, and with O_DIRECTORY on a file",
    run(fs, t) {
      fs.writeFile("/f", "");
      t.fails("ENOTDIR", () => fs.open("/f/g", "r"));
      t.fails("ENOTDIR", () => fs.open("/f", O_RDONLY | O_DIRECTORY));
      t.fails("ENOTDIR", () => fs.open("/f/", "r"));
    },
  },
  {
    name: "open() of a directory reads only",
    run(fs, t) {
      fs.mkdir("/d");
      fs.close(fs.open("/d", O_RDONLY));
      fs.close(fs.open("/d", O_RDONLY | O_DIRECTORY));
      t.fails("EISDIR", () => fs.open("/d", O_WRONLY));
      t.fails("EISDIR", () => fs.open("/d", O_RDWR));
      t.fails("EISDIR", () => fs.open("/d", O_RDONLY | O_TRUNC));
      t.fails("EISDIR", () => fs.open("/d", O_RDONLY | O_CREAT));
    },
  },
  {
    name: "open() with O_CREAT and a trailing slash is EISDIR",
    run(fs, t) {
      fs.symlink("loop", "/loop");
      t.fails("EISDIR", () => fs.open("/new/", O_RDWR | O_CREAT));
      t.fails("EISDIR", () => fs.open("/loop/", O_RDWR | O_CREAT));
      t.fails("ENOENT", () => fs.open("/none/new/", O_RDWR | O_CREAT));
      t.fails("EEXIST", () => fs.open("/./", O_RDWR | O_CREAT | O_EXCL));
      t.eq(namesIn(fs, "/").includes("new"), false);
    },
  },
  {
    name: "open() with O_NOFOLLOW is ELOOP on a link, not on a link before the end",
    run(fs, t) {
      fs.mkdir("/d");
      fs.writeFile("/d/f", "");
      fs.symlink("d", "/l");
      fs.symlink("f", "/d/g");
      t.fails("ELOOP", () => fs.open("/d/g", O_RDONLY | O_NOFOLLOW));
      fs.close(fs.open("/l/f", O_RDONLY | O_NOFOLLOW));
    },
  },
  {
    name: "open() with O_TRUNC empties a file and moves its times",
    needs: ["clock"],
    run(fs, t) {
      fs.writeFile("/f", "contents");
      const now = t.tick();
      fs.close(fs.open("/f", O_WRONLY | O_TRUNC));
      const { size, mtimeMs, ctimeMs } = fs.stat("/f");
      t.eq([size, mtimeMs, ctimeMs], [0, now, now]);
    },
    check(fs, t) {
      t.eq(textOf(fs, "/f"), "");
    },
    remount: true,
  },
  {
    name: "open() with O_CREAT of a file that exists leaves mode and times alone",
    needs: ["clock"],
    run(fs, t) {
      fs.writeFile("/f", "x", { mode: 0o600 });
      const { mtimeMs, ctimeMs } = fs.stat("/f");
      t.tick();
      fs.close(fs.open("/f", O_RDWR | O_CREAT, 0o777));
      const after = fs.stat("/f");
      t.eq([modeOf(fs, "/f"), after.mtimeMs, after.ctimeMs], [0o600, mtimeMs, ctimeMs]);
    },
  },
  {
    name: "open() that makes a file moves the directory's mtime and ctime",
    needs: ["clock"],
    run(fs, t) {
      fs.mkdir("/d");
      const now = t.tick();
      fs.close(fs.open("/d/f", "w"));
      const { mtimeMs, ctimeMs } = fs.stat("/d");
      const { atimeMs } = fs.stat("/d/f");
      t.eq([mtimeMs, ctimeMs, atimeMs], [now, now, now]);
    },
  },
  {
    name: "open() gives the lowest free descriptor",
    run(fs, t) {
      fs.writeFile("/f", "");
      const streams = [0, 1, 2].map(() => fs.open("/f", "r"));
      const fds = streams.map((stream) => stream.fd);
      fs.close(streams[1]!);
      t.eq(fs.open("/f", "r").fd, fds[1]);
      t.eq(fs.open("/f", "r").fd, fds[2]! + 1);
    },
  },
  {
    name: "open() takes fopen's strings",
    run(fs, t) {
      t.fails("ENOENT", () => fs.open("/f", "r"));
      fs.close(fs.open("/f", "wx"));
      t.fails("EEXIST", () => fs.open("/f", "wx"));
      t.fails("EEXIST", () => fs.open("/f", "ax+"));
      within(fs, "/f", "a", (stream) => say(fs, stream, "one"));
      within(fs, "/f", "a+", (stream) => say(fs, stream, "two"));
      within(fs, "/f", "r+", (stream) => say(fs, stream, "O"));
      t.eq(textOf(fs, "/f"), "Onetwo");
      within(fs, "/f", "w+", (stream) => t.eq(hear(fs, stream), ""));
      t.fails("EINVAL", () => fs.open("/f", "rw"));
    },
  },
  {
    name: "open() of a socket, or of a device without a driver, is ENXIO",
    needs: ["special files"],
    run(fs, t) {
      fs.mknod("/socket", S_IFSOCK | 0o666, 0);
      fs.mknod("/device", S_IFCHR | 0o666, 0xfefe);
      t.fails("ENXIO", () => fs.open("/socket", "r"));
      t.fails("ENXIO", () => fs.open("/device", "r"));
    },
  },
  {
    name: "open() of a character device finds its driver in any backend",
    needs: ["special files"],
    run(fs, t) {
      fs.mknod("/zero", S_IFCHR | 0o666, 0x0105);
      within(fs, "/zero", "r", (stream) => t.eq(hear(fs, stream, 3), "\0\0\0"));
    },
    check(fs, t) {
      t.eq(fs.stat("/zero").rdev, 0x0105);
      within(fs, "/zero", "r+", (stream) => t.eq(say(fs, stream, "gone"), 4));
    },
    remount: true,
  },
  {
    name: "open() with O_PATH neither reads nor writes",
    run(fs, t) {
      fs.writeFile("/f", "x", { mode: 0 });
      as(fs, ALICE, () => {
        const stream = fs.open("/f", O_PATH);
        t.fails("EBADF", () => hear(fs, stream));
        t.fails("EBADF", () => say(fs, stream, "x"));
        t.eq(fs.fstat(stream).size, 1);
        fs.close(stream);
      });
    },
  },
  {
    name: "open() with O_TMPFILE makes a file without a name",
    run(fs, t) {
      fs.mkdir("/d");
      const stream = fs.open("/d", O_TMPFILE | O_RDWR, 0o640);
      say(fs, stream, "unnamed");
      const { nlink, mode, size } = fs.fstat(stream);
      t.eq([namesIn(fs, "/d"), nlink, mode, size], [[], 0, 0o100640, 7]);
      t.eq([fs.llseek(stream, 2, 0), hear(fs, stream)], [2, "named"]);
      fs.fchmod(stream, 0o600);
      fs.ftruncate(stream, 3);
      t.eq([fs.fstat(stream).mode, fs.fstat(stream).size], [0o100600, 3]);
      fs.close(stream);
      t.fails("EINVAL", () => fs.open("/d", O_TMPFILE | O_RDONLY));
      t.fails("ENOENT", () => fs.open("/missing", O_TMPFILE | O_RDWR));
      t.fails("ENOTDIR", () => {
        fs.writeFile("/f", "");
        fs.open("/f", O_TMPFILE | O_RDWR);
      });
    },
    check(fs, t) {
      t.eq(namesIn(fs, "/d"), []);
    },
    remount: true,
  },
  {
    name: "open() with O_TMPFILE is owned by the caller, in the group that names there have",
    run(fs, t) {
      fs.mkdir("/d");
      fs.chown("/d", 0, 77);
      fs.chmod("/d", 0o2777);
      as(fs, ALICE, () => {
        const stream = fs.open("/d", O_TMPFILE | O_RDWR, 0o666);
        const { uid, gid, mode } = fs.fstat(stream);
        t.eq([uid, gid, mode & 0o777], [1000, 77, 0o644]);
        fs.close(stream);
      });
    },
  },
  {
    name: "linkat() gives a file of O_TMPFILE a name, unless O_EXCL forbade it",
    needs: ["late names"],
    run(fs, t) {
      fs.mkdir("/d");
      const stream = fs.open("/d", O_TMPFILE | O_RDWR, 0o600);
      say(fs, stream, "unnamed");
      fs.linkat(stream, "", -100, "/d/named", 0x1000);
      t.eq(fs.fstat(stream).nlink, 1);
      fs.close(stream);
      const never = fs.open("/d", O_TMPFILE | O_RDWR | O_EXCL, 0o600);
      t.fails("ENOENT", () => fs.linkat(never, "", -100, "/d/never", 0x1000));
      fs.close(never);
    },
    check(fs, t) {
      t.eq([namesIn(fs, "/d"), textOf(fs, "/d/named")], [["named"], "unnamed"]);
    },
    remount: true,
  },
  {
    name: "open() asks for read and write permission",
    run(fs, t) {
      fs.writeFile("/r", "", { mode: 0o444 });
      fs.writeFile("/w", "", { mode: 0o644 });
      fs.chmod("/w", 0o222);
      as(fs, ALICE, () => {
        fs.close(fs.open("/r", O_RDONLY));
        fs.close(fs.open("/w", O_WRONLY));
        t.fails("EACCES", () => fs.open("/r", O_WRONLY));
        t.fails("EACCES", () => fs.open("/w", O_RDONLY));
        t.fails("EACCES", () => fs.open("/w", O_RDWR));
        t.fails("EACCES", () => fs.open("/r", O_RDONLY | O_TRUNC));
      });
      fs.close(fs.open("/w", O_RDWR));
    },
  },
  {
    name: "open() is EMFILE at the limit, and makes nothing then",
    run(fs, t) {
      fs.writeFile("/f", "");
      const streams = [];
      while (fs.streams.filter(Boolean).length < fs.MAX_OPEN_FDS) {
        streams.push(fs.open("/f", "r"));
      }
      t.fails("EMFILE", () => fs.open("/new", "w"));
      for (const stream of streams) fs.close(stream);
      t.eq(namesIn(fs, "/").includes("new"), false);
      fs.close(fs.open("/new", "w"));
    },
  },
  {
    name: "open() of a FIFO to write without waiting is ENXIO while there is no reader",
    needs: ["special files"],
    run(fs, t) {
      fs.mknod("/p", S_IFIFO | 0o666, 0);
      t.fails("ENXIO", () => fs.open("/p", O_WRONLY | 0o4000));
      const reader = fs.open("/p", O_RDONLY | 0o4000);
      fs.close(fs.open("/p", O_WRONLY | 0o4000));
      fs.close(reader);
    },
  },
  {
    name: "open() with O_APPEND of the same file twice keeps both ends right",
    run(fs) {
      const [a, b] = [0, 1].map(() => fs.open("/f", O_WRONLY | O_CREAT | O_APPEND));
      say(fs, a!, "one ");
      say(fs, b!, "two ");
      say(fs, a!, "three");
      fs.close(a!);
      fs.close(b!);
    },
    check(fs, t) {
      t.eq(textOf(fs, "/f"), "one two three");
    },
    remount: true,
  },
];
