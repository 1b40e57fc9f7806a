/** readFile, writeFile, analyzePath, fsync. @module */
import { type Case, modeOf, namesIn, say, textOf } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "writeFile() writes text as UTF-8, readFile() gives it back",
    run(fs) {
      fs.writeFile("/f", "zażółć 😀");
      fs.writeFile("/empty", "");
    },
    check(fs, t) {
      t.eq([textOf(fs, "/f"), fs.stat("/f").size], ["zażółć 😀", 15]);
      t.eq(fs.readFile("/f"), new TextEncoder().encode("zażółć 😀"));
      t.eq(fs.readFile("/empty").length, 0);
    },
    remount: true,
  },
  {
    name: "writeFile() writes exactly the bytes of any view",
    run(fs, t) {
      const words = new Uint16Array([0x0102, 0x0304]);
      fs.writeFile("/words", words);
      fs.writeFile("/part", new Uint8Array([1, 2, 3, 4]).subarray(1, 3));
      fs.writeFile("/view", new DataView(words.buffer, 1, 2));
      t.eq(fs.readFile("/words"), new Uint8Array([2, 1, 4, 3]));
      t.eq(fs.readFile("/part"), new Uint8Array([2, 3]));
      t.eq(fs.readFile("/view"), new Uint8Array([1, 4]));
    },
  },
  {
    name: "writeFile() with canOwn keeps a copy all the same",
    run(fs, t) {
      const bytes = new Uint8Array([1, 2, 3]);
      fs.writeFile("/f", bytes, { canOwn: true });
      bytes.fill(9);
      t.eq(fs.readFile("/f"), new Uint8Array([1, 2, 3]));
      const stream = fs.open("/f", "r+");
      t.eq(fs.write(stream, new Uint8Array([7, 8]), 0, 2, 4, true), 2);
      fs.close(stream);
      t.eq(fs.readFile("/f"), new Uint8Array([1, 2, 3, 0, 7, 8]));
    },
  },
  {
    name: "writeFile() replaces, appends with flags, and makes with a mode",
    run(fs, t) {
      fs.writeFile("/f", "longer text", { mode: 0o600 });
      fs.writeFile("/f", "short");
      fs.writeFile("/f", " more", { flags: "a" });
      t.eq([textOf(fs, "/f"), modeOf(fs, "/f")], ["short more", 0o600]);
      t.fails("EEXIST", () => fs.writeFile("/f", "", { flags: "wx" }));
    },
  },
  {
    name: "readFile() and writeFile() leave no descriptor open when they fail",
    run(fs, t) {
      fs.mkdir("/d");
      const before = fs.streams.filter(Boolean).length;
      t.fails("EISDIR", () => fs.readFile("/d"));
      t.fails("EISDIR", () => fs.writeFile("/d", "x"));
      t.fails("ENOENT", () => fs.readFile("/missing"));
      t.eq(fs.streams.filter(Boolean).length, before);
    },
  },
  {
    name: "analyzePath() returns nine things and throws nothing",
    run(fs, t) {
      fs.mkdir("/d");
      fs.writeFile("/d/f", "");
      const found = fs.analyzePath("/d/f");
      t.eq([found.exists, found.error, found.name, found.path], [true, 0, "f", "/d/f"]);
      t.eq([found.parentExists, found.parentPath, found.isRoot], [true, "/d", false]);
      const missing = fs.analyzePath("/d/g");
      t.eq([missing.exists, missing.parentExists, missing.object], [false, true, null]);
      t.eq(fs.analyzePath("/").isRoot, true);
      t.eq(fs.analyzePath("/x/y").exists, false);
      t.eq(fs.analyzePath("/x/y").error, 44);
    },
  },
  {
    name: "fsync() makes what was written last over a remount",
    run(fs, t) {
      const stream = fs.open("/f", "w");
      say(fs, stream, "durable");
      fs.fsync(stream);
      fs.close(stream);
      t.fails("EBADF", () => fs.fsync(stream));
    },
    check(fs, t) {
      t.eq([textOf(fs, "/f"), namesIn(fs, "/").includes("f")], ["durable", true]);
    },
    remount: true,
  },
];
