/** Mounts: crossing them, EXDEV, EROFS, EBUSY, unmount. @module */
import { O_CREAT, O_RDWR } from "../../abi/flags.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { type Case, hear, namesIn, textOf, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "mount() covers a directory, unmount() shows it again",
    run(fs, t) {
      fs.mkdir("/m");
      fs.writeFile("/m/below", "");
      fs.mount(MEMFS, {}, "/m");
      t.eq(namesIn(fs, "/m"), []);
      fs.writeFile("/m/above", "");
      t.eq(namesIn(fs, "/m"), ["above"]);
      t.ok(fs.stat("/m").dev !== fs.stat("/").dev, "another device");
      fs.unmount("/m");
    },
    check(fs, t) {
      t.eq(namesIn(fs, "/m"), ["below"]);
    },
    remount: true,
  },
  {
    name: "the walk crosses mounts down and up",
    run(fs, t) {
      fs.mkdirTree("/m/inner");
      fs.writeFile("/f", "outside");
      fs.mount(MEMFS, {}, "/m");
      fs.mkdir("/m/d");
      t.eq([textOf(fs, "/m/../f"), textOf(fs, "/m/d/../../f")], ["outside", "outside"]);
      fs.symlink("/f", "/m/l");
      t.eq(textOf(fs, "/m/l"), "outside");
      fs.chdir("/m/d");
      t.eq([fs.cwd(), fs.realpath("..")], ["/m/d", "/m"]);
      fs.chdir("/");
    },
  },
  {
    name: "rename() and link() across mounts are EXDEV",
    run(fs, t) {
      fs.mkdir("/m");
      fs.mount(MEMFS, {}, "/m");
      fs.writeFile("/f", "kept");
      t.fails("EXDEV", () => fs.rename("/f", "/m/f"));
      t.fails("EXDEV", () => fs.link("/f", "/m/f"));
      t.eq([textOf(fs, "/f"), namesIn(fs, "/m")], ["kept", []]);
    },
  },
  {
    name: "a mountpoint is EBUSY for rmdir, unlink of it EISDIR, rename EBUSY",
    run(fs, t) {
      fs.mkdir("/m");
      fs.mount(MEMFS, {}, "/m");
      t.fails("EBUSY", () => fs.rmdir("/m"));
      t.fails("EBUSY", () => fs.rename("/m", "/n"));
      fs.mkdir("/d");
      t.fails("EBUSY", () => fs.rename("/d", "/m"));
      t.fails("EISDIR", () => fs.unlink("/m"));
    },
  },
  {
    name: "mount() refuses a file, a name that is not there, and a mountpoint",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.mkdir("/m");
      fs.mount(MEMFS, {}, "/m");
      t.fails("ENOTDIR", () => fs.mount(MEMFS, {}, "/f"));
      t.fails("ENOENT", () => fs.mount(MEMFS, {}, "/missing"));
      t.fails("EBUSY", () => fs.mount(MEMFS, {}, "/m"));
      t.fails("EBUSY", () => fs.mount(MEMFS, {}, "/"));
    },
  },
  {
    name: "unmount() with an open file is EBUSY unless it is forced",
    run(fs, t) {
      fs.mkdir("/m");
      fs.mount(MEMFS, {}, "/m");
      fs.writeFile("/m/f", "x");
      const stream = fs.open("/m/f", "r");
      t.fails("EBUSY", () => fs.unmount("/m"));
      t.eq(hear(fs, stream), "x");
      fs.unmount("/m", { force: true });
      t.eq(namesIn(fs, "/m"), []);
      t.fails("EINVAL", () => fs.unmount("/m"));
    },
  },
  {
    name: "unmount() with the current directory inside, or a mount inside, is EBUSY",
    run(fs, t) {
      fs.mkdir("/m");
      fs.mount(MEMFS, {}, "/m");
      fs.chdir("/m");
      t.fails("EBUSY", () => fs.unmount("/m"));
      fs.chdir("/");
      fs.mkdir("/m/inner");
      fs.mount(MEMFS, {}, "/m/inner");
      t.fails("EBUSY", () => fs.unmount("/m"));
      fs.unmount("/m/inner");
      fs.unmount("/m");
    },
  },
  {
    name: "a read-only mount answers EROFS to every change, and reads",
    run(fs, t) {
      fs.mkdir("/m");
      const source = MEMFS.mount({});
      const type = { name: "SAME", mount: () => source };
      fs.mount(type, {}, "/m");
      fs.writeFile("/m/f", "text");
      fs.mkdir("/m/d");
      fs.symlink("f", "/m/l");
      fs.unmount("/m");
      fs.mount(type, {}, "/m", { readOnly: true });
      t.eq([textOf(fs, "/m/l"), namesIn(fs, "/m")], ["text", ["f", "d", "l"]]);
      const changes: Record<string, () => unknown> = {
        write: () => fs.open("/m/f", "r+"),
        truncating: () => fs.open("/m/f", "w"),
        create: () => fs.open("/m/new", O_RDWR | O_CREAT),
        mkdir: () => fs.mkdir("/m/new"),
        rmdir: () => fs.rmdir("/m/d"),
        unlink: () => fs.unlink("/m/f"),
        rename: () => fs.rename("/m/f", "/m/g"),
        link: () => fs.link("/m/f", "/m/g"),
        symlink: () => fs.symlink("f", "/m/g"),
        mknod: () => fs.mknod("/m/g", 0o100644, 0),
        chmod: () => fs.chmod("/m/f", 0o600),
        chown: () => fs.chown("/m/f", 1, 1),
        utime: () => fs.utime("/m/f", 1, 1),
        truncate: () => fs.truncate("/m/f", 1),
        access: () => fs.access("/m/f", 2),
        setxattr: () => fs.setxattr("/m/f", "user.a", new Uint8Array(1)),
      };
      for (const [name, change] of Object.entries(changes)) t.fails("EROFS", change, name);
      t.fails("EEXIST", () => fs.mkdir("/m/d"));
      within(fs, "/m/f", "r", (stream) => t.eq(hear(fs, stream), "text"));
    },
  },
  {
    name: "reading a read-only mount moves no atime",
    needs: ["clock"],
    run(fs, t) {
      fs.mkdir("/m");
      const source = MEMFS.mount({ clock: () => t.now() });
      const type = { name: "SAME", mount: () => source };
      fs.mount(type, {}, "/m");
      fs.writeFile("/m/f", "text");
      fs.symlink("f", "/m/l");
      const times = (): number[] => ["/m", "/m/f", "/m/l"].map((path) => fs.lstat(path).atimeMs);
      const before = times();
      fs.unmount("/m");
      fs.mount(type, {}, "/m", { readOnly: true });
      t.tick();
      t.eq([textOf(fs, "/m/l"), fs.readdir("/m").length, fs.readlink("/m/l")], ["text", 4, "f"]);
      t.eq(times(), before);
    },
  },
];
