/** A disk without room under a file that says it is long: nothing is lost, and it can be left. */
import { assert, assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import { LimitedHandle } from "../support/limited_handle.ts";
import { contentsOf } from "../support/model_tree.ts";
import { DIRECTORY, FILE } from "../support/on_volume.ts";
import { SparseDisk } from "../support/sparse_disk.ts";

/** Writes until there is no more room; how many bytes went in. */
function fill(volume: Volume, name: string): number {
  const ino = volume.create(volume.root, name, FILE);
  const bytes = new Uint8Array(200_000).fill(7);
  for (let done = 0;;) {
    try {
      const count = volume.write(ino, bytes, done);
      done += count;
      if (count < bytes.length) return done;
    } catch (error) {
      assert(isErrnoError(error) && error.code === "ENOSPC", String(error));
      return done;
    }
  }
}

/** The error code of a call, or "". */
function codeOf(act: () => void): string {
  try {
    act();
    return "";
  } catch (error) {
    assert(isErrnoError(error), String(error));
    return error.code;
  }
}

Deno.test("a volume that has filled its disk gives the room back when it is closed", () => {
  const disk = new SparseDisk(1000);
  const volume = openVolumeSync(disk);
  fill(volume, "large");
  assertEquals(disk.usedPages, 1000);
  volume.unlink(volume.root, "large");
  volume.close();
  assert(disk.usedPages < 200, `${disk.usedPages} pages`);
  assertEquals(checkVolume(disk.device).violations, []);
  const again = openVolumeSync(disk);
  assert(again.report.wasClean);
  again.write(again.create(again.root, "little", FILE), new Uint8Array(20_000).fill(1), 0);
  again.close();
  assertEquals(checkVolume(disk.device).violations, []);
});

Deno.test("a volume that was killed on a full disk can be opened, and gives the room back", () => {
  const disk = new SparseDisk(1000);
  const volume = openVolumeSync(disk);
  volume.write(volume.create(volume.root, "kept", FILE), new Uint8Array(5000).fill(3), 0);
  volume.sync();
  fill(volume, "large");
  volume.unlink(volume.root, "large");
  volume.sync();
  // Whatever else lies on the disk has grown in the meantime.
  disk.pages = disk.usedPages;
  const again = openVolumeSync(disk);
  assertEquals(again.report.corrected, []);
  again.write(again.create(again.root, "little", FILE), new Uint8Array(20_000).fill(1), 0);
  assertEquals(contentsOf(again, again.lookup(again.root, "kept")), new Uint8Array(5000).fill(3));
  again.close();
  assertEquals(checkVolume(disk.device).violations, []);
});

Deno.test("thousands of small calls on a full disk: ENOSPC or done, and unlink always works", () => {
  const disk = new SparseDisk(1500);
  const volume = openVolumeSync(disk, { ringBytes: 128 * 1024, durability: "op" });
  const directory = volume.create(volume.root, "d", DIRECTORY);
  for (let index = 0; index < 300; index++) volume.create(directory, `f${index}`, FILE);
  fill(volume, "large");
  disk.pages = disk.usedPages;
  const seen = new Map<string, number>();
  const small = new Uint8Array(600).fill(9);
  for (let index = 0; index < 3000; index++) {
    const ino = volume.lookup(directory, `f${index % 300}`);
    const code = codeOf(() => {
      if (index % 3 === 0) volume.setattr(ino, { mode: index & 0o777 });
      else volume.write(ino, small, (index % 7) * 600);
    });
    assert(code === "" || code === "ENOSPC", code);
    seen.set(code, (seen.get(code) ?? 0) + 1);
  }
  assertEquals(volume.stats().state, "open");
  volume.unlink(volume.root, "large");
  volume.sync();
  // The small blocks have places that the disk has never had: they wait in the journal for room.
  disk.pages += 400;
  volume.write(volume.create(volume.root, "after", FILE), new Uint8Array(100_000).fill(5), 0);
  volume.close();
  assertEquals(checkVolume(disk.device).violations, []);
  console.log(`outcomes: ${JSON.stringify([...seen])}`);
});

Deno.test("a device that refuses to grow at any length: what was accepted is never refused at a commit", () => {
  const fresh = memoryHandle();
  openVolumeSync(fresh, { ringBytes: 128 * 1024 }).close();
  const image = fresh.toBytes();
  let refusals = 0;
  for (let extra = 0; extra < 1_500_000; extra += 37_000) {
    const device = memoryHandle(image);
    const handle = new LimitedHandle(device, image.length + extra);
    const volume = openVolumeSync(handle, { ringBytes: 128 * 1024, poolBytes: 1 << 18 });
    const accepted = new Map<string, number>();
    for (let index = 0; index < 120; index++) {
      const name = `${"n".repeat(index)}${index}`;
      const length = [10, 3000, 12_000, 70_000][index % 4]!;
      const code = codeOf(() => {
        const ino = volume.create(volume.root, name, FILE);
        accepted.set(name, 0);
        accepted.set(name, volume.write(ino, new Uint8Array(length).fill(index), 0));
        if (index % 5 === 0) volume.setxattr(ino, "user.x", new Uint8Array(900), 0);
      });
      assert(code === "" || code === "ENOSPC", code);
      if (code !== "") refusals++;
      if (index % 7 === 0) volume.sync();
    }
    volume.sync();
    volume.close();
    assert(device.getSize() <= image.length + extra);
    assertEquals(checkVolume(device).violations, [], `${extra} bytes more`);
    const again = openVolumeSync(device, { readOnly: true });
    for (const [name, length] of accepted) {
      const bytes = contentsOf(again, again.lookup(again.root, name));
      const value = Number(/\d+$/.exec(name)![0]);
      assertEquals([bytes.length, bytes.every((byte) => byte === value)], [length, true], name);
    }
  }
  console.log(`${refusals} calls refused, no commit`);
  assert(refusals > 100);
});
