/**
 * `cairn cp` as a process.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { HostTree } from "../../../cli/trees/host_tree.ts";
import { fileHandle } from "../../../opfs/device/file.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import {
  assertAllFail,
  cairn,
  type Failing,
  inFolder,
  refusesBadImages,
} from "../../support/command_line.ts";
import { forbid, sampleImage, UNPRIVILEGED } from "../../support/bad_images.ts";
import { inShell, onFullDisk } from "../../support/hostile_host.ts";
import { treeView } from "../../support/tree_view.ts";

function viewAt(path: string) {
  const tree = new HostTree();
  return treeView(tree, tree.at(path)!);
}

const SETUP = `
  set -e
  mkdir -p src/sub/empty
  echo hello > src/a; ln src/a src/sub/again; ln -s ../a src/sub/link; mkfifo src/sub/fifo
  truncate -s 1G src/sparse; printf x | dd of=src/sparse bs=1 seek=500000000 conv=notrunc 2>/dev/null
  setfattr -n user.note -v yes src/a
  echo dash > src/-dash; echo dot > src/.hidden; touch "src/$(printf 'a\\nb')"
  chmod 751 src/sub; touch -d @1234567.5 src/a src/sub
  touch -h -a -d '2100-01-01' src src/a src/sub src/sub/link src/sub/fifo src/sub/empty src/sparse src/-dash src/.hidden "src/$(printf 'a\\nb')"
  cairn mkfs v`;

Deno.test("cairn cp -r carries a tree into an image, to another one, and back", () => {
  inFolder((folder) => {
    const { err, status } = inShell(
      `${SETUP}
      cairn cp -r src v:/; cairn mkfs w; cairn cp -r v:/ w:/; cairn cp -r w:/src out
      cairn check v; cairn check w`,
      folder,
    );
    assertEquals([status, err], [0, ""]);
    const [before, after] = [viewAt(`${folder}/src`), viewAt(`${folder}/out`)];
    assertEquals(after, before);
    assertEquals(Object.keys(after).length, 11);
    assert(Deno.statSync(`${folder}/w`).size < 2 ** 22, "holes take no room");
  });
});

Deno.test("cairn cp puts copies where the words say", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/v`);
    const { out, err, status } = inShell(
      `set -e
      cairn cp v:/a v:/c; cairn cp v:/a v:/c v:/dir; cairn cp v:/dir/link v:/followed
      cairn cp -r v:/dir/link v:/link; cairn cp -r v:/dir/. v:/new; mkdir host
      echo new > -a; cairn cp -- -a v:/; cairn cp -n -- -a v:/c; cairn cp -r v:/dir v:/new host
      cairn cp -r v:/dir/. host; cairn tree v; ls -A host host/dir; cat host/a`,
      folder,
    );
    assertEquals([status, err], [0, ""]);
    assertEquals(out.split("\n").filter((line) => line !== ""), [
      ...["/", "  -a (4)", "  a (6)", "  c (6)", "  dir/", "    a (6)", "    b (6)", "    c (6)"],
      ...["    link -> ../a", "  followed (6)", "  link -> ../a", "  new/", "    a (6)"],
      ...["    b (6)", "    c (6)", "    link -> ../a"],
      ...["host:", "a", "b", "c", "dir", "link", "new", "host/dir:", "a", "b", "c", "link"],
      "hello",
    ]);
    assertEquals(cairn(["check", `${folder}/v`]).status, 0);
  });
});

Deno.test("cairn cp refuses what makes no sense, in one line", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    refusesBadImages(folder, ["cp"], (path) => [`${path}:/a`, `${folder}/out`]);
    sampleImage(image);
    Deno.writeTextFileSync(`${folder}/file`, "");
    const rows: [words: string[], line: RegExp][] = [
      [["a", "b"], /no side is in an image: write IMAGE:\/path/],
      [[`${image}:dir`, "b"], /is no path in an image: write ".*v:\/dir"/],
      [[`${image}:/none`, folder], /v:\/none": ENOENT/],
      [[`${image}:/dir`, folder], /v:\/dir": EISDIR: .* takes -r/],
      [[`${folder}/none`, `${image}:/`], /none": ENOENT/],
      [[`${image}:/a`, `${image}:/a`], /v:\/a": EINVAL: cannot copy it to itself/],
      [["-r", `${image}:/dir`, `${image}:/dir/in`], /v:\/dir": EINVAL: .* into itself/],
      [[image, `${image}:/`], /v": EINVAL: .* an image into itself/],
      [["-r", `${image}:/`, `${image}:/dir`], /EINVAL: .* into itself/],
      [["-r", `${image}:/dir`, `${folder}/file`], /file": ENOTDIR/],
      [[`${image}:/a`, `${image}:/dir/b`, `${image}:/none`], /v:\/none": ENOENT/],
      [[`${image}:/a`, `${folder}/no/such`], /such": ENOENT/],
    ];
    assertAllFail(rows.map(([words, line]): Failing => [["cp", ...words], line]));
    assertEquals(cairn(["check", image]).status, 0);
  });
});

Deno.test("cairn cp leaves out what it may not read, and the image itself", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/v`);
    for (const name of ["good", "theirs"]) Deno.writeTextFileSync(`${folder}/${name}`, name);
    forbid(`${folder}/theirs`);
    const { status, err, out } = cairn(["cp", "-r", ".", "v:/dir"], {
      cwd: folder,
      prefix: UNPRIVILEGED,
    });
    assertEquals([status, out], [1, ""], err);
    assertMatch(err, /^lost: unreadable: "\.\/theirs": EACCES: .*$/m);
    assertMatch(err, /^note: left-out: "\.\/v": .* the image that is being written$/m);
    assertEquals(cairn(["ls", `${folder}/v`, "/dir"]).out, "b\ngood\nlink\n");
    assertEquals(cairn(["check", `${folder}/v`]).status, 0);
  });
});

Deno.test("cairn cp gives no rights of another user away, and says what it could not make", () => {
  inFolder((folder) => {
    const volume = openVolumeSync(fileHandle(`${folder}/v`));
    volume.create(volume.root, "suid", { mode: 0o106755, uid: 5, gid: 6 });
    volume.create(volume.root, "device", { mode: 0o020666, rdev: 0x103, uid: 0, gid: 0 });
    volume.close();
    const { status, err } = cairn(["cp", "-r", "v:/", "out"], {
      cwd: folder,
      prefix: UNPRIVILEGED,
    });
    assertEquals(status, 1, err);
    assertMatch(err, /^lost: special: "out\/device": not made: EPERM: [^\n]*\n$/);
    const { mode, uid } = Deno.statSync(`${folder}/out/suid`);
    assertEquals([mode! & 0o7777, uid], [0o755, Deno.uid()]);
  });
});

Deno.test("cairn cp does not write over the image that it reads", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    sampleImage(image);
    Deno.linkSync(image, `${folder}/a`);
    const before = Deno.readFileSync(image);
    assertAllFail([
      [["cp", `${image}:/a`, image], /v": EBUSY: cannot replace it: .* image that is being read/],
      [["cp", "-r", `${image}:/a`, folder], /\/a": EBUSY/],
    ]);
    assertEquals(Deno.readFileSync(image), before);
  });
});

Deno.test("cairn cp ends in one line when a disk is full, and leaves whole files", () => {
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/src`);
    Deno.mkdirSync(`${folder}/disk`);
    for (let file = 0; file < 12; file++) {
      Deno.writeFileSync(`${folder}/src/${file + 10}`, new Uint8Array(300_000).fill(file));
    }
    const { out, err } = onFullDisk(
      `cairn mkfs v; cairn cp -r ../src v:/; echo "status $?"; cairn check v; cairn tree v
      cairn mkfs "${folder}/w"; cairn cp -r ../src "${folder}/w:/"; rm v*
      cairn cp -r "${folder}/w:/src" . ; echo "status $?"; ls -A src`,
      { folder: `${folder}/disk`, diskBytes: 3 * 2 ** 20 },
    );
    const lines = err.trimEnd().split("\n");
    assertEquals(lines.length, 2, err);
    assertMatch(lines[0]!, /^cairn cp: "v:\/src\/\d+": ENOSPC: .*; make room there and try again$/);
    assertMatch(lines[1]!, /^cairn cp: "src\/\d+": ENOSPC: .*; make room there and try again$/);
    assertEquals(out.match(/^status 2$/gm)?.length, 2, out);
    assertMatch(out, /^clean: \d files/m);
    const sizes = [...out.matchAll(/^ {4}\d+ \((\d+)\)$/gm)].map((match) => match[1]);
    assert(sizes.length > 3 && sizes.every((size) => size === "300000"), out);
    assert(!out.includes(".cairn-"), out);
  });
});

Deno.test("cairn cp -r to the host leaves out a file that is too long there, and copies the rest", () => {
  inFolder((folder) => {
    const { status, out, err } = inShell(
      `cairn mkfs v; cairn mkdir v /d; for name in a c; do echo $name | cairn put v - /d/$name; done
cairn truncate -s 4194304G v /d/b; cairn cp -r v:/d . ; echo $?; ls d`,
      folder,
    );
    assertEquals([status, out], [0, "1\na\nc\n"], err);
    assertMatch(err, /^lost: unstorable: "d\/b": EFBIG/m);
  });
});

Deno.test("cairn cp reads a FIFO, such as <(cmd), and copies it itself only with -r", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/v`);
    const { out, err, status } = inShell(
      `set -e
      mkfifo fifo; timeout 20 sh -c "echo from fifo > fifo" & cairn cp fifo v:/read; wait
      echo from pipe | cairn cp /dev/fd/0 v:/pipe; cairn cp -r fifo v:/kept
      cairn cat v /read /pipe; cairn stat --json v /kept`,
      folder,
    );
    assertEquals([status, err], [0, ""]);
    assertMatch(out, /^from fifo\nfrom pipe\n.*"type":"fifo"/);
  });
});
