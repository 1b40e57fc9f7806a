/** What runs out: space, inodes, links. A failed call changes nothing, and removing always works. @module */
import { O_RDWR } from "../../abi/flags.ts";
import { type Case, namesIn, say, textOf, within } from "./case.ts";

/** The code of what `call` throws, or "" */
function codeOf(call: () => unknown): string {
  try {
    call();
    return "";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "write() on a full file system is short, then ENOSPC; unlink makes room",
    isSmall: true,
    run(fs, t) {
      fs.writeFile("/kept", "kept");
      const piece = new Uint8Array(10_000).fill(1);
      const stream = fs.open("/f", "w");
      let total = 0;
      let code = "";
      while (code === "" && total < 64 * 2 ** 20) {
        code = codeOf(() => total += fs.write(stream, piece, 0, piece.length));
      }
      t.eq([code, fs.fstat(stream).size], ["ENOSPC", total]);
      t.eq(stream.position, total);
      fs.close(stream);
      t.ok(total > 2 ** 18, `only ${total} bytes fitted`);
      t.eq(textOf(fs, "/kept"), "kept");
      fs.unlink("/f");
      fs.writeFile("/f", piece);
    },
    check(fs, t) {
      t.eq([textOf(fs, "/kept"), fs.stat("/f").size], ["kept", 10_000]);
    },
    remount: true,
  },
  {
    name: "truncate() to less and writing in place work on a full file system",
    isSmall: true,
    run(fs, t) {
      const piece = new Uint8Array(4096).fill(1);
      within(fs, "/f", "w", (stream) => {
        while (codeOf(() => fs.write(stream, piece, 0, piece.length)) === "");
      });
      within(fs, "/f", "r+", (stream) => t.eq(say(fs, stream, "in place", 100), 8));
      fs.truncate("/f", 8192);
      fs.writeFile("/g", piece);
      t.eq([fs.stat("/f").size, fs.stat("/g").size], [8192, 4096]);
    },
    check(fs, t) {
      t.eq(textOf(fs, "/f").slice(99, 109), "\u0001in place\u0001");
    },
    remount: true,
  },
  {
    name: "statfs() is true: what a file takes is missing, what it gives back is there",
    isSmall: true,
    run(fs, t) {
      const before = fs.statfs("/");
      t.ok(before.blocks > 0 && before.bfree <= before.blocks, "free is part of all");
      fs.writeFile("/f", new Uint8Array(65536).fill(1));
      const during = fs.statfs("/");
      const taken = (before.bfree - during.bfree) * before.bsize;
      t.ok(taken >= 65536 && taken <= 131072, `64 KiB took ${taken}`);
      t.ok(during.ffree < before.ffree, "an inode less");
      fs.unlink("/f");
      t.eq([fs.statfs("/").bfree, fs.statfs("/").ffree], [before.bfree, before.ffree]);
    },
  },
  {
    name: "names without contents can be made until ENOSPC, and unmade",
    isSmall: true,
    run(fs, t) {
      const free = fs.statfs("/").ffree;
      if (free > 20_000) return;
      let made = 0;
      let code = "";
      while (code === "" && made <= free) code = codeOf(() => fs.create(`/f${made++}`));
      if (code === "") return;
      t.eq(code, "ENOSPC");
      t.eq(namesIn(fs, "/").includes(`f${made - 1}`), false);
      fs.unlink("/f0");
      fs.mkdir("/d");
    },
  },
  {
    name: "link() is EMLINK at 65,535 names",
    needs: ["limits"],
    shortFormOn: ["MEMFS", "volume in memory"],
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.mkdir("/d");
      for (let count = 1; count < 65535; count++) fs.link("/f", `/d/${count}`);
      t.eq(fs.stat("/f").nlink, 65535);
      t.fails("EMLINK", () => fs.link("/f", "/d/more"));
      fs.unlink("/d/1");
      fs.link("/f", "/d/more");
    },
  },
  {
    name: "mkdir() is EMLINK at 65,533 subdirectories",
    needs: ["limits"],
    shortFormOn: ["MEMFS", "volume in memory"],
    run(fs, t) {
      fs.mkdir("/d");
      fs.mkdir("/e");
      for (let count = 0; count < 65533; count++) fs.mkdir(`/d/${count}`);
      t.eq(fs.stat("/d").nlink, 65535);
      t.fails("EMLINK", () => fs.mkdir("/d/more"));
      t.fails("EMLINK", () => fs.rename("/e", "/d/more"));
      fs.writeFile("/d/file", "");
      fs.rename("/e", "/d/0");
    },
  },
  {
    name: "a write far out owns little and reads back",
    run(fs, t) {
      let code = "";
      within(fs, "/f", "w", (stream) => code = codeOf(() => say(fs, stream, "far", 2 ** 33)));
      t.ok(code === "" || code === "EFBIG", code);
      if (code !== "") return;
      const { size, blocks } = fs.stat("/f");
      t.eq(size, 2 ** 33 + 3);
      t.ok(blocks <= 256, `${blocks} blocks`);
      const into = new Uint8Array(5);
      within(fs, "/f", O_RDWR, (stream) => fs.read(stream, into, 0, 5, 2 ** 33 - 2));
      t.eq(into, new Uint8Array([0, 0, 102, 97, 114]));
    },
  },
];
