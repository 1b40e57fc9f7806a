/** compact() on what openVolume() returns: here, through a relay, watched, ended early, and in vain. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ErrnoError } from "../../abi/errno.ts";
import { type OpenedVolume, openVolume } from "../../opfs/compose/open.ts";
import type { StepProgress } from "../../opfs/relay/steps.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { fileHandle } from "../../opfs/device/file.ts";
import { contentsOf } from "../support/model_tree.ts";
import { FILE } from "../support/on_volume.ts";

const MIB = 1024 * 1024;

/** A volume with a file at its end and a hole before it, that in use is not worth tidying. */
async function withHole(name: string, access: "direct" | "relay"): Promise<OpenedVolume> {
  const volume = await openVolume({ name, access });
  const inos = [1, 2].map((value) => {
    const ino = volume.create(volume.root, `f${value}`, FILE);
    for (let at = 0; at < 6; at++) {
      volume.write(ino, new Uint8Array(MIB).fill(value + at), at * MIB);
    }
    return ino;
  });
  volume.unlink(volume.root, "f1");
  volume.sync();
  assert(inos[1]! > 0);
  return volume;
}

async function onFolder(work: (name: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    await work(`${folder}/v.cairn`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

for (const access of ["direct", "relay"] as const) {
  Deno.test(`compact() makes a volume short while it is worked on: ${access}`, async () => {
    await onFolder(async (name) => {
      const volume = await withHole(name, access);
      const before = Deno.statSync(name).size;
      const steps: StepProgress[] = [];
      const calls: Promise<number>[] = [];
      const onProgress = (progress: StepProgress): void => {
        steps.push(progress);
        calls.push(volume.promises.create(volume.root, `m${steps.length}`, FILE));
      };
      const report = await volume.compact({ onProgress });
      assertEquals((await Promise.all(calls)).length, steps.length);
      assert(steps.length > 5, `${steps.length} steps`);
      assert(steps.every(({ doneBytes, totalBytes }) => doneBytes <= totalBytes));
      assertEquals(steps.at(-1)!.totalBytes, 6 * MIB);
      assert(report.movedBlocks >= 1536 && report.cutBlocks > 1024, JSON.stringify(report));
      assert(Deno.statSync(name).size < before - 5 * MIB);
      const bytes = contentsOf(volume, volume.lookup(volume.root, "f2"));
      for (let at = 0; at < 6; at++) assertEquals(bytes[at * MIB + 99], 2 + at);
      await volume.close();
      assertEquals(checkVolume(fileHandle(name)).violations, []);
    });
  });

  Deno.test(`compact() ends when its signal says so, and can be called again: ${access}`, async () => {
    await onFolder(async (name) => {
      const volume = await withHole(name, access);
      const control = new AbortController();
      let steps = 0;
      const onProgress = (): void => {
        if (++steps === 4) control.abort(new ErrnoError("ECANCELED", "compact"));
      };
      const { signal } = control;
      await assertRejects(() => volume.compact({ onProgress, signal }), ErrnoError, "ECANCELED");
      assertEquals(steps, 4);
      const { movedBlocks } = await volume.compact();
      assert(movedBlocks < 1536, `${movedBlocks} blocks are left to move`);
      assertEquals(contentsOf(volume, volume.lookup(volume.root, "f2")).length, 6 * MIB);
      await volume.close();
      assertEquals(checkVolume(fileHandle(name)).violations, []);
    });
  });

  Deno.test(`compact() says why it cannot: ${access}`, async () => {
    await onFolder(async (name) => {
      const volume = await withHole(name, access);
      const bad = { onProgress: 5 } as unknown as { onProgress: () => void };
      await assertRejects(() => volume.compact(bad), ErrnoError, "EINVAL");
      const thrown = await assertRejects(() =>
        volume.compact({
          onProgress() {
            throw new Error("mine");
          },
        }), Error);
      assertEquals(thrown.message, "mine");
      const running = volume.compact();
      const ended = assertRejects(() => running, ErrnoError, "EBADF");
      await volume.close();
      await ended;
      const readOnly = await openVolume({ name, access, readOnly: true });
      await assertRejects(() => readOnly.compact(), ErrnoError, "EROFS");
      await readOnly.close();
    });
  });
}

Deno.test("compact() is for the opener, not for the holder of a ticket", async () => {
  await onFolder(async (name) => {
    const volume = await openVolume({ name, access: "relay" });
    const client = await openVolume(volume.share());
    await assertRejects(() => client.compact(), ErrnoError, "ENOTSUP");
    await client.close();
    await volume.close();
  });
});
