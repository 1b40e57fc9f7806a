/** unlink. @module */
import { S_IFIFO } from "../../abi/mode.ts";
import { ALICE, as, BOB, type Case, hear, namesIn, textOf, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "unlink() removes the name and moves the directory's times",
    needs: ["clock"],
    run(fs, t) {
      fs.mkdir("/d");
      fs.writeFile("/d/f", "x");
      const now = t.tick();
      fs.unlink("/d/f");
      const { mtimeMs, ctimeMs } = fs.stat("/d");
      t.eq([mtimeMs, ctimeMs], [now, now]);
    },
    check(fs, t) {
      t.fails("ENOENT", () => fs.stat("/d/f"));
      t.eq(namesIn(fs, "/d"), []);
    },
    remount: true,
  },
  {
    name: "unlink() of one name leaves the others and moves ctime",
    needs: ["clock"],
    run(fs, t) {
      fs.writeFile("/a", "kept");
      fs.link("/a", "/b");
      const now = t.tick();
      fs.unlink("/a");
      t.eq([fs.stat("/b").nlink, fs.stat("/b").ctimeMs], [1, now]);
    },
    check(fs, t) {
      t.eq([textOf(fs, "/b"), fs.stat("/b").nlink], ["kept", 1]);
    },
    remount: true,
  },
  {
    name: "unlink() of a directory is EISDIR, of nothing ENOENT, below a file ENOTDIR",
    run(fs, t) {
      fs.mkdir("/d");
      fs.writeFile("/f", "");
      t.fails("EISDIR", () => fs.unlink("/d"));
      t.fails("EISDIR", () => fs.unlink("/"));
      t.fails("ENOENT", () => fs.unlink("/missing"));
      t.fails("ENOTDIR", () => fs.unlink("/f/x"));
      t.fails("ENOTDIR", () => fs.unlink("/f/"));
    },
  },
  {
    name: "unlink() of a link removes the link",
    run(fs, t) {
      fs.writeFile("/f", "kept");
      fs.symlink("f", "/l");
      fs.symlink("nowhere", "/m");
      for (const path of ["/l", "/m"]) fs.unlink(path);
      t.eq(textOf(fs, "/f"), "kept");
      for (const path of ["/l", "/m"]) t.fails("ENOENT", () => fs.lstat(path), path);
    },
  },
  {
    name: "unlink() of a special file removes it",
    needs: ["special files"],
    run(fs, t) {
      fs.mknod("/p", S_IFIFO | 0o644, 0);
      fs.unlink("/p");
      t.fails("ENOENT", () => fs.lstat("/p"));
    },
  },
  {
    name: "unlink() of an open file: its name is free, its bytes live until close",
    run(fs, t) {
      fs.writeFile("/f", "old");
      within(fs, "/f", "r", (stream) => {
        fs.unlink("/f");
        fs.writeFile("/f", "new");
        t.eq(hear(fs, stream), "old");
        t.ok(fs.fstat(stream).ino !== fs.stat("/f").ino, "another inode");
      });
      t.eq(textOf(fs, "/f"), "new");
    },
  },
  {
    name: "unlink() gives the space back at the last close",
    isSmall: true,
    run(fs, t) {
      const used = () => fs.statfs("/").blocks - fs.statfs("/").bfree;
      const before = used();
      fs.writeFile("/f", new Uint8Array(200_000).fill(1));
      const stream = fs.open("/f", "r");
      fs.unlink("/f");
      t.ok(used() >= before + 48, "still owned while it is open");
      fs.close(stream);
      t.ok(used() <= before + 1, `${used()} blocks in use, ${before} before`);
    },
  },
  {
    name: "unlink() needs write and search permission on the directory",
    run(fs, t) {
      fs.mkdir("/d", 0o755);
      fs.writeFile("/d/f", "", { mode: 0o666 });
      as(fs, ALICE, () => t.fails("EACCES", () => fs.unlink("/d/f")));
      fs.chmod("/d", 0o766);
      as(fs, ALICE, () => t.fails("EACCES", () => fs.unlink("/d/f")));
      fs.chmod("/d", 0o733);
      as(fs, ALICE, () => fs.unlink("/d/f"));
    },
  },
  {
    name: "unlink() of a name with a slash reports the kind before the permission",
    run(fs, t) {
      fs.mkdirTree("/d/e");
      fs.writeFile("/d/f", "");
      as(fs, ALICE, () => {
        t.fails("EACCES", () => fs.unlink("/d/e"));
        t.fails("EISDIR", () => fs.unlink("/d/e/"));
        t.fails("ENOTDIR", () => fs.unlink("/d/f/"));
        t.fails("ENOENT", () => fs.unlink("/d/none/"));
      });
    },
  },
  {
    name: "unlink() in a sticky directory is for the owner of the file or of the directory",
    run(fs, t) {
      fs.mkdir("/s");
      fs.chown("/s", 1001, 1001);
      fs.chmod("/s", 0o1777);
      as(fs, ALICE, () => {
        fs.writeFile("/s/a", "");
        fs.writeFile("/s/b", "");
      });
      const carol = { uid: 1002, gid: 1002, groups: [] };
      as(fs, carol, () => t.fails("EPERM", () => fs.unlink("/s/a")));
      as(fs, BOB, () => fs.unlink("/s/a"));
      as(fs, ALICE, () => fs.unlink("/s/b"));
    },
  },
  {
    name: "unlink() and making again many times leaves a directory right",
    run(fs) {
      fs.mkdir("/d");
      for (let round = 0; round < 20; round++) {
        for (let index = 0; index < 50; index++) fs.writeFile(`/d/f${index}`, `${round}`);
        for (let index = 0; index < 50; index += 2) fs.unlink(`/d/f${index}`);
      }
    },
    check(fs, t) {
      t.eq(namesIn(fs, "/d").length, 25);
      for (let index = 1; index < 50; index += 2) t.eq(textOf(fs, `/d/f${index}`), "19");
      t.fails("ENOENT", () => fs.stat("/d/f0"));
    },
    remount: true,
  },
];
