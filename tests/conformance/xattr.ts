/** Extended attributes in user.* @module */
import { XATTR_CREATE, XATTR_REPLACE } from "../../abi/flags.ts";
import { bytesOf, type Case } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "setxattr() keeps values on files and directories",
    needs: ["clock", "extended attributes"],
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.mkdir("/d");
      const now = t.tick();
      fs.setxattr("/f", "user.one", bytesOf("1"));
      fs.setxattr("/f", "user.two", new Uint8Array([0, 255]));
      fs.setxattr("/f", "user.one", bytesOf("replaced"));
      fs.setxattr("/d", "user.ż", new Uint8Array(0));
      t.eq(fs.stat("/f").ctimeMs, now);
    },
    check(fs, t) {
      t.eq(fs.listxattr("/f").sort(), ["user.one", "user.two"]);
      t.eq(fs.getxattr("/f", "user.one"), bytesOf("replaced"));
      t.eq(fs.getxattr("/f", "user.two"), new Uint8Array([0, 255]));
      t.eq(fs.getxattr("/d", "user.ż").length, 0);
    },
    remount: true,
  },
  {
    name: "setxattr() heeds XATTR_CREATE and XATTR_REPLACE",
    needs: ["extended attributes"],
    run(fs, t) {
      fs.writeFile("/f", "");
      const value = bytesOf("v");
      t.fails("ENODATA", () => fs.setxattr("/f", "user.a", value, XATTR_REPLACE));
      fs.setxattr("/f", "user.a", value, XATTR_CREATE);
      t.fails("EEXIST", () => fs.setxattr("/f", "user.a", value, XATTR_CREATE));
    },
  },
  {
    name: "getxattr() and removexattr() of what is not there are ENODATA",
    needs: ["extended attributes"],
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.setxattr("/f", "user.a", bytesOf("v"));
      fs.removexattr("/f", "user.a");
      t.fails("ENODATA", () => fs.getxattr("/f", "user.a"));
      t.fails("ENODATA", () => fs.removexattr("/f", "user.a"));
      t.fails("ENOENT", () => fs.getxattr("/missing", "user.a"));
      t.eq(fs.listxattr("/f"), []);
    },
  },
  {
    name: "setxattr() in another namespace is ENOTSUP",
    run(fs, t) {
      fs.writeFile("/f", "");
      t.fails("ENOTSUP", () => fs.setxattr("/f", "other.a", bytesOf("v")));
    },
  },
];
