/**
 * `cairn export` to a tar as a process, seen by GNU tar, and `cairn import` of what that makes.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { fileHandle, openVolumeSync } from "../../../opfs/mod.ts";
import { cairn, inFolder } from "../../support/command_line.ts";
import { hostCommand } from "../../../tools/programs.ts";

/** GNU tar, and a package whose files are here, with links among them. */
const isGnu = run("tar", ["--version"]).out.includes("GNU tar");
const PACKAGES = ["perl-base", "tzdata", "libc-bin", "bash"];
const owned = PACKAGES.map((name) => run("dpkg-query", ["-L", name]).out).find((out) => out !== "");

function run(
  program: string,
  args: readonly string[],
  stdin?: string,
): { out: string; code: number } {
  try {
    const child = hostCommand("sh", {
      args: ["-c", `printf %s "$STDIN" | "$@"`, "sh", program, ...args],
      env: { LC_ALL: "C", TZ: "UTC", STDIN: stdin ?? "" },
    });
    const { stdout, stderr, code } = child.outputSync();
    const decoder = new TextDecoder();
    return { out: decoder.decode(stdout) + (code === 0 ? "" : decoder.decode(stderr)), code };
  } catch {
    return { out: "", code: 1 };
  }
}

function listed(tar: string): string[] {
  return run("tar", ["--full-time", "-tvf", tar]).out.trim().replace(/ +/g, " ").split("\n").sort();
}

Deno.test({
  name: "cairn import and export carry a tar of a Debian package's tree unchanged",
  ignore: !isGnu || owned === undefined,
  fn() {
    inFolder((folder) => {
      const names = owned!.split("\n").filter((path) => /^\/[^.]/.test(path));
      const here = names.filter((path) => Deno.lstatSync(path).isFile !== undefined);
      const first = `${folder}/in.tar`;
      const args = ["-C", "/", "--format=gnu", "--no-recursion", "-cf", first, "-T", "-"];
      const made = run("tar", args, here.map((path) => `.${path}`).join("\n"));
      assertEquals(made.code, 0, made.out);
      const second = `${folder}/out.tar`;
      assertEquals(cairn(["import", "--json", first, `${folder}/v`]).status, 0);
      assertEquals(cairn(["check", `${folder}/v`]).status, 0);
      assertEquals(cairn(["export", `${folder}/v`, second]).status, 0);
      // The first has no entry for the root, the second always has one.
      const out = listed(second).filter((line) => !line.endsWith(" ./"));
      const before = new Set(listed(first));
      assertEquals(out.filter((line) => !before.has(line)), []);
      assertEquals(out.length, before.size);
      Deno.mkdirSync(`${folder}/x`);
      assertEquals(run("tar", ["-C", `${folder}/x`, "-xpf", first]).code, 0);
      const compared = run("tar", ["-C", `${folder}/x`, "--compare", "-f", second]).out;
      assertEquals(compared.split("\n").filter((line) => line !== "" && !/^\.\/: /.test(line)), []);
    });
  },
});

Deno.test({
  name: "cairn export writes what GNU tar unpacks as it was, and imports again as it was",
  ignore: !isGnu,
  fn() {
    inFolder((folder) => {
      const image = `${folder}/v`;
      const volume = openVolumeSync(fileHandle(image), { clock: () => 1700000000123.5 });
      const owner = { uid: 0, gid: 0 };
      const root = volume.root;
      const file = volume.create(root, `${"ä".repeat(100)}`, {
        mode: 0o100640,
        uid: 3000000,
        gid: 6,
      });
      volume.write(file, new TextEncoder().encode("contents"), 0);
      volume.setxattr(file, "user.raw", new Uint8Array([0, 255]), 0);
      volume.link(file, root, "hard");
      volume.create(root, "soft", { mode: 0o120777, ...owner, target: "t".repeat(300) });
      volume.create(root, "tty", { mode: 0o020620, ...owner, rdev: 0x501 });
      volume.create(root, "pipe", { mode: 0o010600, ...owner });
      const sparse = volume.create(root, "sparse", { mode: 0o100600, ...owner });
      volume.setattr(sparse, { size: 50_000_000 });
      volume.write(sparse, new TextEncoder().encode("middle"), 20_000_000);
      volume.setattr(sparse, { mtime: -1500, atime: -1500 });
      volume.close();
      const tar = `${folder}/v.tar`;
      const { status, err } = cairn(["export", image, tar]);
      assertEquals([status, err], [0, ""]);
      assertEquals(Deno.statSync(tar).size < 100_000, true);
      const text = listed(tar).join("\n");
      assertMatch(text, /crw--w---- root\/root +5,1 2023-11-14 22:13:20.1235 \.\/tty/);
      assertMatch(text, /hrw-r----- 3000000\/\S+ +0 .* link to \.\/hard|\.\/hard/);
      assertMatch(text, /-rw------- root\/root +50000000 .*\.\/sparse/);
      assertEquals(run("tar", ["-xOf", tar, "./sparse"]).out.replaceAll("\0", ""), "middle");
      assertEquals(cairn(["import", tar, `${folder}/w`]).status, 0);
      const trees = ["v", "w"].map((name) => {
        const { out } = cairn(["tree", "--json", "--hash", `${folder}/${name}`]);
        return out.replace(/"ino":\d+,/g, "");
      });
      assertEquals(trees[1], trees[0]);
      const again = openVolumeSync(fileHandle(`${folder}/w`, { readOnly: true }), {
        readOnly: true,
      });
      const ino = again.lookup(again.root, "hard");
      assertEquals(again.getxattr(ino, "user.raw"), new Uint8Array([0, 255]));
      assertEquals(again.getattr(again.lookup(again.root, "sparse")).blocks, 8);
      again.close();
    });
  },
});

Deno.test("cairn export says that no tar has sockets, keeps words out of the output", () => {
  inFolder((folder) => {
    const volume = openVolumeSync(fileHandle(`${folder}/v`));
    volume.create(volume.root, "socket", { mode: 0o140600, uid: 0, gid: 0 });
    volume.close();
    const { status, bytes, err } = cairn(["export", `${folder}/v`, "-"]);
    assertEquals([status, bytes.length % 512], [1, 0]);
    assertMatch(err, /^lost: socket: "\/socket": no tar|^lost: socket: .*a socket/m);
    assertMatch(err, /^1 directory; not everything is as it was/m);
  });
});
