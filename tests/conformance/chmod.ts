/** chmod, chown, access, umask: modes and owners. @module */
import { F_OK, R_OK, W_OK, X_OK } from "../../abi/flags.ts";
import { ALICE, as, BOB, type Case, modeOf, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "chmod() changes permission bits, never the type, and moves ctime only",
    needs: ["clock"],
    run(fs, t) {
      fs.writeFile("/f", "");
      const { mtimeMs } = fs.stat("/f");
      const now = t.tick();
      fs.chmod("/f", 0o170751);
      const stat = fs.stat("/f");
      t.eq([stat.mode, stat.ctimeMs, stat.mtimeMs], [0o100751, now, mtimeMs]);
    },
    check(fs, t) {
      t.eq(fs.stat("/f").mode, 0o100751);
    },
    remount: true,
  },
  {
    name: "chmod() follows a link, lchmod() does not reach the target",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.symlink("f", "/l");
      fs.chmod("/l", 0o600);
      t.eq(modeOf(fs, "/f"), 0o600);
      try {
        fs.lchmod("/l", 0o644);
      } catch (error) {
        t.eq((error as { code: string }).code, "ENOTSUP");
      }
      t.eq(modeOf(fs, "/f"), 0o600);
    },
  },
  {
    name: "chmod() is for the owner and root",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.chown("/f", 1000, 1000);
      as(fs, BOB, () => t.fails("EPERM", () => fs.chmod("/f", 0o777)));
      as(fs, ALICE, () => fs.chmod("/f", 0o700));
      t.eq(modeOf(fs, "/f"), 0o700);
    },
  },
  {
    name: "chmod() of setgid needs the group",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.chown("/f", 1000, 50);
      as(fs, ALICE, () => fs.chmod("/f", 0o2755));
      t.eq(modeOf(fs, "/f"), 0o755);
      as(fs, { ...ALICE, groups: [50] }, () => fs.chmod("/f", 0o2755));
      t.eq(modeOf(fs, "/f"), 0o2755);
    },
  },
  {
    name: "fchmod() reaches a file without a name",
    run(fs, t) {
      fs.writeFile("/f", "");
      within(fs, "/f", "r", (stream) => {
        fs.unlink("/f");
        fs.fchmod(stream.fd!, 0o640);
        t.eq(fs.fstat(stream).mode & 0o7777, 0o640);
      });
      t.fails("EBADF", () => fs.fchmod(999, 0o600));
    },
  },
  {
    name: "chown() stores owner and group; -1 leaves one alone",
    needs: ["clock"],
    run(fs, t) {
      fs.writeFile("/f", "");
      const now = t.tick();
      fs.chown("/f", 7, 8);
      fs.chown("/f", -1, 9);
      t.eq(fs.stat("/f").ctimeMs, now);
    },
    check(fs, t) {
      t.eq([fs.stat("/f").uid, fs.stat("/f").gid], [7, 9]);
    },
    remount: true,
  },
  {
    name: "chown() follows a link, lchown() changes the link",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.symlink("f", "/l");
      fs.chown("/l", 1, 1);
      fs.lchown("/l", 2, 2);
      t.eq([fs.stat("/f").uid, fs.lstat("/l").uid], [1, 2]);
    },
  },
  {
    name: "chown() by an owner: to own groups only, and never away",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.chown("/f", 1000, 1000);
      as(fs, { ...ALICE, groups: [50] }, () => {
        fs.chown("/f", -1, 50);
        fs.chown("/f", 1000, 1000);
        t.fails("EPERM", () => fs.chown("/f", -1, 51));
        t.fails("EPERM", () => fs.chown("/f", 1001, -1));
      });
      as(fs, BOB, () => t.fails("EPERM", () => fs.chown("/f", 1001, 1001)));
    },
  },
  {
    name: "chown() takes suid and sgid away from a program",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.chown("/f", 1000, 1000);
      fs.chmod("/f", 0o6755);
      as(fs, ALICE, () => fs.chown("/f", -1, 1000));
      t.eq(modeOf(fs, "/f"), 0o755);
    },
  },
  {
    name: "access() asks for the caller's class only",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.chown("/f", 1000, 50);
      fs.chmod("/f", 0o074);
      as(fs, ALICE, () => {
        fs.access("/f", F_OK);
        t.fails("EACCES", () => fs.access("/f", R_OK));
      });
      as(fs, { ...BOB, groups: [50] }, () => fs.access("/f", R_OK | W_OK | X_OK));
      as(fs, BOB, () => {
        fs.access("/f", R_OK);
        t.fails("EACCES", () => fs.access("/f", W_OK));
      });
      t.fails("ENOENT", () => fs.access("/missing", F_OK));
      t.fails("EINVAL", () => fs.access("/f", 8));
    },
  },
  {
    name: "access() as root: everything, but execute only if at least one class may",
    run(fs, t) {
      fs.writeFile("/f", "", { mode: 0 });
      fs.access("/f", R_OK | W_OK);
      t.fails("EACCES", () => fs.access("/f", X_OK));
      fs.chmod("/f", 0o001);
      fs.access("/f", X_OK);
      fs.mkdir("/d", 0);
      fs.access("/d", R_OK | W_OK | X_OK);
    },
  },
  {
    name: "umask() is taken off what is made and returns the one before",
    run(fs, t) {
      t.eq([fs.umask(0o077), fs.umask(0o077)], [0o022, 0o077]);
      fs.writeFile("/f", "");
      fs.mkdir("/d");
      t.eq([modeOf(fs, "/f"), modeOf(fs, "/d")], [0o600, 0o700]);
      fs.umask(0);
      fs.writeFile("/g", "");
      t.eq(modeOf(fs, "/g"), 0o666);
    },
  },
  {
    name: "the walk needs search permission on each directory",
    run(fs, t) {
      fs.mkdirTree("/a/b");
      fs.writeFile("/a/b/f", "");
      fs.chmod("/a", 0o600);
      as(fs, ALICE, () => t.fails("EACCES", () => fs.stat("/a/b/f")));
      fs.chmod("/a", 0o711);
      fs.chmod("/a/b", 0o744);
      as(fs, ALICE, () => {
        t.fails("EACCES", () => fs.stat("/a/b/f"));
        t.eq(fs.readdir("/a/b").length, 3);
      });
    },
  },
];
