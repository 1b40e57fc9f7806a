/** The upgrade of a host file in place: the old volume stays until the new one is whole. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { ErrnoError } from "../../../abi/errno.ts";
import { fileHandle } from "../../../opfs/device/file.ts";
import { upgradeImage } from "../../../opfs/compose/upgrade_image.ts";
import { checkVolume } from "../../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { isOlderFormat } from "../../../opfs/volume/tools/upgrade.ts";
import { goldenPath } from "../../golden/images.ts";

const OPTIONS = { busyTimeoutMs: 100 };
const older = new Uint8Array(gunzipSync(Deno.readFileSync(goldenPath("older_in_use"))));

const fs = (globalThis as unknown as { process: { getBuiltinModule(name: "fs"): object } })
  .process.getBuiltinModule("fs") as Record<string, unknown>;

/** A folder with an old volume in it, and what is there afterwards. */
async function withOlder(work: (path: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  Deno.writeFileSync(`${folder}/v`, older);
  await work(`${folder}/v`);
  // A lock whose line could not be written may leave an empty file.
  const left = [...Deno.readDirSync(folder)].map(({ name }) => name);
  assertEquals(left.filter((name) => name !== "v.lock"), ["v"]);
  Deno.removeSync(folder, { recursive: true });
}

Deno.test("upgradeImage() gives a volume today's format once", async () => {
  await withOlder(async (path) => {
    const report = await upgradeImage({ kind: "host", path }, OPTIONS);
    assert(report !== null && report.isComplete && report.files > 0);
    const handle = fileHandle(path, { readOnly: true });
    assertEquals([isOlderFormat(handle), checkVolume(handle).violations], [false, []]);
    handle.close();
    const bytes = Deno.readFileSync(path);
    assertEquals(await upgradeImage({ kind: "host", path }, OPTIONS), null);
    assertEquals(Deno.readFileSync(path), bytes);
  });
});

Deno.test("upgradeImage() is refused while the volume is open, and when it is missing", async () => {
  await withOlder(async (path) => {
    const volume = openVolumeSync(fileHandle(path));
    const place = { kind: "host" as const, path };
    await assertRejects(() => upgradeImage(place, OPTIONS), ErrnoError, "EBUSY");
    volume.close();
    const missing = { kind: "host" as const, path: `${path}2` };
    await assertRejects(() => upgradeImage(missing, OPTIONS), ErrnoError, "ENOENT");
  });
});

Deno.test("upgradeImage() leaves the old volume when its signal ends it", async () => {
  await withOlder(async (path) => {
    const signal = AbortSignal.abort(new Error("enough"));
    const ended = upgradeImage({ kind: "host", path }, { ...OPTIONS, signal });
    await assertRejects(() => ended, Error, "enough");
    assertEquals(Deno.readFileSync(path), older);
  });
});

for (const call of ["writeSync", "ftruncateSync", "fdatasyncSync", "renameSync", "readSync"]) {
  Deno.test(`upgradeImage() leaves the old volume when the host's ${call} fails`, async () => {
    await withOlder(async (path) => {
      const full = (): never => {
        throw Object.assign(new Error("no"), { code: "EIO" });
      };
      const real = fs[call];
      fs[call] = full;
      try {
        await assertRejects(() => upgradeImage({ kind: "host", path }, OPTIONS), ErrnoError);
      } finally {
        fs[call] = real;
      }
      assertEquals(Deno.readFileSync(path), older);
    });
  });
}
