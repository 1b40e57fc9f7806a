/**
 * `cairn tree` as a process.
 */
import { assertEquals } from "@std/assert";
import { fileHandle } from "../../../opfs/device/file.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";

const SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

function volumeIn(path: string): void {
  let now = 1000;
  const volume = openVolumeSync(fileHandle(path), { clock: () => now });
  now = 2000.5;
  const owner = { uid: 5, gid: 6 };
  const directory = volume.create(volume.root, "d", { mode: 0o041711, ...owner });
  const file = volume.create(directory, "\n\\ü", { mode: 0o104640, ...owner });
  volume.write(file, new TextEncoder().encode("abc"), 0);
  volume.create(volume.root, "s", { mode: 0o120777, target: "d/x", ...owner });
  volume.create(volume.root, "p", { mode: 0o010600, ...owner });
  volume.create(volume.root, "k", { mode: 0o140600, ...owner });
  volume.create(volume.root, "c", { mode: 0o020600, rdev: 0x103, ...owner });
  volume.create(volume.root, "b", { mode: 0o060600, rdev: 0x801, ...owner });
  volume.close();
}

Deno.test("cairn tree --json --hash prints one object a line", () => {
  inFolder((folder) => {
    volumeIn(`${folder}/v`);
    const before = Deno.readFileSync(`${folder}/v`);
    const { status, out } = cairn(["tree", "--json", "--hash", `${folder}/v`]);
    assertEquals(status, 0);
    const lines = out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(
      lines.map(({ path, type, mode, rdev }) => [path, type, mode, rdev]),
      [
        ["/", "dir", "40755", 0],
        ["/b", "block", "60600", 0x801],
        ["/c", "char", "20600", 0x103],
        ["/d", "dir", "41711", 0],
        ["/d/\n\\ü", "file", "104640", 0],
        ["/k", "socket", "140600", 0],
        ["/p", "fifo", "10600", 0],
        ["/s", "symlink", "120777", 0],
      ],
    );
    const times = { atimeMs: 2000.5, mtimeMs: 2000.5, ctimeMs: 2000.5 };
    const { ino: _ino, ...file } = lines[4];
    assertEquals(file, {
      path: "/d/\n\\ü",
      type: "file",
      mode: "104640",
      size: 3,
      uid: 5,
      gid: 6,
      nlink: 1,
      ...times,
      rdev: 0,
      sha256: SHA256_OF_ABC,
    });
    assertEquals(lines[7].target, "d/x");
    assertEquals(new Set(lines.map(({ ino }) => ino)).size, 8);
    assertEquals(Deno.readFileSync(`${folder}/v`), before);
  });
});

Deno.test("cairn tree shows names that cannot move the cursor", () => {
  inFolder((folder) => {
    volumeIn(`${folder}/v`);
    const { out } = cairn(["tree", `${folder}/v`]);
    assertEquals(
      out,
      "/\n  b [block]\n  c [char]\n  d/\n    \\n\\\\ü (3)\n  k [socket]\n  p [fifo]\n  s -> d/x\n",
    );
  });
});

Deno.test("cairn tree refuses bad images", () => {
  inFolder((folder) => refusesBadImages(folder, ["tree"]));
});
