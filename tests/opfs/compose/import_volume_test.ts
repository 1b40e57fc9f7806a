/** Images by name, through the engine itself and through a relay. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { importVolume } from "../../../opfs/compose/import_volume.ts";
import { openVolume } from "../../../opfs/compose/open.ts";
import { contentsOf, treeOf } from "../../support/model_tree.ts";
import { FILE } from "../../support/on_volume.ts";

for (const access of ["direct", "relay"] as const) {
  Deno.test(`importVolume() takes what exportImage() gives while in use: ${access}`, async () => {
    const folder = Deno.makeTempDirSync();
    try {
      const volume = await openVolume({ name: `${folder}/v.cairn`, access });
      const ino = volume.create(volume.root, "a", FILE);
      volume.write(ino, new Uint8Array(900_000).fill(1), 0);
      // Under a relay the moment is when it hears of it: one call makes sure that it has.
      const moment = treeOf(volume);
      const stream = volume.exportImage();
      await volume.promises.sync();
      let pieces = 0;
      const onProgress = (): void => {
        pieces++;
        if (access === "direct") volume.write(ino, new Uint8Array(100_000).fill(2), 700_000);
        else void volume.promises.write(ino, new Uint8Array(100_000).fill(2), 700_000);
      };
      const name = `${folder}/backup.cairn`;
      const report = await importVolume(stream, { name, onProgress });
      assert(report.clean && pieces > 5, `${pieces} pieces`);
      await volume.promises.sync();
      assertEquals(contentsOf(volume, ino)[700_000], 2);
      await volume.close();
      const backup = await openVolume({ name, create: false });
      assertEquals(treeOf(backup), moment);
      await backup.close();
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  });
}

Deno.test("exportImage() through a relay ends with EBADF when the volume is closed", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const volume = await openVolume({ name: `${folder}/v.cairn`, access: "relay" });
    const reader = volume.exportImage().getReader();
    assertEquals((await reader.read()).value?.length, 12288);
    const client = await openVolume(volume.share());
    assertThrows(() => client.exportImage(), ErrnoError, "ENOTSUP");
    await client.close();
    await volume.close();
    await assertRejects(() => reader.read(), ErrnoError, "EBADF");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
