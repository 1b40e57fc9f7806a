/** An upgrade by name: in this thread, and through a worker as a page does it. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { ErrnoError } from "../../../abi/errno.ts";
import { openVolume } from "../../../opfs/compose/open.ts";
import { upgradeVolume } from "../../../opfs/compose/upgrade_volume.ts";
import { goldenPath } from "../../golden/images.ts";

const older = new Uint8Array(gunzipSync(Deno.readFileSync(goldenPath("older_closed"))));

Deno.test("upgradeVolume() upgrades the volume of a name, once", async () => {
  const folder = Deno.makeTempDirSync();
  const name = `${folder}/notes.cairn`;
  Deno.writeFileSync(name, older);
  const report = await upgradeVolume(name);
  assert(report?.isComplete);
  assertEquals(await upgradeVolume(name), null);
  const volume = await openVolume({ name, create: false });
  assert(volume.lookup(volume.root, "hello.txt") > 0);
  await volume.close();
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("upgradeVolume() does nothing for a signal that is over, or an invalid name", async () => {
  const folder = Deno.makeTempDirSync();
  const name = `${folder}/notes.cairn`;
  Deno.writeFileSync(name, older);
  const signal = AbortSignal.abort(new Error("enough"));
  await assertRejects(() => upgradeVolume(name, { signal }), Error, "enough");
  assertEquals(Deno.readFileSync(name), older);
  await assertRejects(() => upgradeVolume(""), ErrnoError, "EINVAL");
  await assertRejects(() => upgradeVolume(`${folder}/other.cairn`), ErrnoError, "ENOENT");
  Deno.removeSync(folder, { recursive: true });
});
