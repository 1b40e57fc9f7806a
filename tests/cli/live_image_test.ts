/**
 * Reading verbs over an image that is written at the same time: they see one moment of it, or say
 * that they do not and end with 1.
 */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { withDevice, withVolume, withVolumeAtLength } from "../../cli/shared/image.ts";
import { ImageChanged, PlaceError, UsageError } from "../../cli/shared/verb.ts";
import { fileHandle } from "../../opfs/device/file.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import { cairnLines, command, endedOf, inFolder } from "../support/command_line.ts";
import { inFolderOfLocks } from "../support/lock_processes.ts";

const FILE = { mode: 0o100644, uid: 0, gid: 0 };

function volumeAt(path: string): Volume {
  const volume = openVolumeSync(fileHandle(path));
  volume.create(volume.root, "a", FILE);
  volume.sync();
  return volume;
}

function change(volume: Volume): void {
  const ino = volume.lookup(volume.root, "a");
  volume.write(ino, new Uint8Array(10_000).fill(7), 0);
  volume.sync();
}

Deno.test("reading verbs say nothing of an image that is open and not written", () => {
  inFolder((folder) => {
    const volume = volumeAt(`${folder}/v`);
    const verbs = "ls tree find du df check info dump".split(" ").map((verb) => [verb, "v"]);
    const lines = [...verbs, ["cat", "v", "/a"], ["stat", "v", "/a"], ["get", "v", "/a"], [
      "cp",
      "v:/a",
      "b",
    ], ["export", "v", "v.tar"]];
    for (const [index, { status, err }] of cairnLines(lines, { cwd: folder }).entries()) {
      assertEquals([status, err], [0, ""], lines[index]!.join(" "));
    }
    volume.close();
  });
});

Deno.test("withVolume() says that the image was written while it was read, whatever came of it", () => {
  inFolder((folder) => {
    const path = `${folder}/v`;
    const volume = volumeAt(path);
    const said = `"${path}": it was written while it was read`;
    assertThrows(() => withVolume(path, () => change(volume)), ImageChanged, said);
    assertThrows(() => withDevice(path, () => change(volume)), ImageChanged, said);
    const failing = (error: Error) => () => {
      change(volume);
      throw error;
    };
    const error = assertThrows(
      () => withVolume(path, failing(new Error("torn"))),
      ImageChanged,
    );
    assertMatch(error.message, /read.*; torn$/);
    assertThrows(() => withDevice(path, failing(new Error("torn"))), ImageChanged, "torn");
    assertThrows(() => withVolume(path, failing(new UsageError("no"))), UsageError);
    assertEquals(withVolume(path, () => 5), 5);
    volume.close();
  });
});

Deno.test("withVolume() finds a write of data alone, which no header shows", () => {
  inFolder((folder) => {
    const path = `${folder}/v`;
    const volume = volumeAt(path);
    change(volume);
    volume.close();
    const raw = Deno.openSync(path, { write: true });
    assertThrows(() =>
      withVolume(path, () => {
        raw.seekSync(-1, Deno.SeekMode.End);
        raw.writeSync(new Uint8Array(1));
      }), ImageChanged);
    raw.close();
  });
});

Deno.test("a target that cannot be closed says more than a source that changed", async () => {
  await inFolderOfLocks(async (folder) => {
    const volume = volumeAt(`${folder}/source`);
    volumeAt(`${folder}/target`).close();
    const copying = withVolumeAtLength(`${folder}/target`, async (target) => {
      target.create(target.root, "b", FILE);
      target.sync = () => {};
      target.close = () => {
        throw new Error("the disk is full");
      };
      return await withVolumeAtLength(`${folder}/source`, () => Promise.resolve(change(volume)));
    }, { readOnly: false });
    const error = await copying.catch((error) => error);
    assertEquals([error instanceof PlaceError, /disk is full/.test(error.message)], [true, true]);
    volume.close();
  });
});

Deno.test("cairn export, cat and cp end with 1 when the image is written at the same time", async () => {
  await inFolderOfLocks(async (folder) => {
    const volume = volumeAt(`${folder}/v`);
    const bytes = new Uint8Array(4 << 20).fill(65);
    const ino = volume.lookup(volume.root, "a");
    for (let at = 0; at < 6; at++) volume.write(ino, bytes, at * bytes.length);
    volume.sync();
    for (const args of [["export", "v", "-"], ["cat", "v", "/a"], ["cp", "v:/a", "-"]]) {
      const child = command(args, { cwd: folder }).spawn();
      const reader = child.stdout.getReader();
      await reader.read();
      change(volume);
      while (!(await reader.read()).done);
      const err = await new Response(child.stderr).text();
      const { code } = await child.status;
      assertEquals(code, 1, err);
      assertMatch(err, /^cairn \w+: "v": it was written while it was read/m);
    }
    const { status, err } = endedOf(await command(["cat", "v", "/a"], { cwd: folder }).output());
    assertEquals([status, err], [0, ""]);
    volume.close();
  });
});
