/**
 * Watches over a relay: changes of other clients are reported, those of the instance itself once.
 */
import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import type { WatchEvent } from "../../fs/watch.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { watchVolume } from "../../node_ops/volume_watch.ts";
import { CachedVolume } from "../../opfs/cache.ts";
import { ModelVolume } from "../support/model_volume.ts";
import { type Rig, startRig } from "../support/relay_rig.ts";

async function mounted(rig: Rig) {
  const volume = new CachedVolume(await rig.client());
  return createFS({ root: { type: VOLUMEFS, options: { volume } } });
}

/** Waits until no new event has come for a while. */
async function settled(events: readonly WatchEvent[]): Promise<string[]> {
  for (let before = -1; before !== events.length;) {
    before = events.length;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  return events.map(({ type, name }) => `${type} ${name}`);
}

Deno.test("FS.watch() reports what other clients do to a directory's entries", async () => {
  const rig = await startRig();
  const [one, two] = [await mounted(rig), await mounted(rig)];
  one.mkdir("/d");
  one.writeFile("/d/old", "text");
  const events: WatchEvent[] = [];
  const watch = one.watch("/d", (event) => events.push(event));
  two.writeFile("/d/new", "");
  assertEquals(await settled(events), ["create new"]);
  two.writeFile("/d/old", "longer text");
  assertEquals((await settled(events)).slice(1), ["modify old"]);
  two.chmod("/d/new", 0o600);
  assertEquals((await settled(events)).slice(2), ["attrib new"]);
  two.rename("/d/new", "/d/old");
  assertEquals((await settled(events)).slice(3), ["delete old", "delete new", "create old"]);
  one.writeFile("/d/own", "");
  two.unlink("/d/old");
  const own = (await settled(events)).slice(6);
  assertEquals(own.filter((event) => event === "create own").length, 1);
  assertEquals(own.includes("delete old"), true);
  watch.close();
  two.writeFile("/d/later", "");
  assertEquals((await settled(events)).length, 6 + own.length);
  await rig.stop();
});

Deno.test("FS.watch() reports what other clients do to a file, until it is gone", async () => {
  const rig = await startRig();
  const [one, two] = [await mounted(rig), await mounted(rig)];
  one.writeFile("/f", "text");
  const events: WatchEvent[] = [];
  const watch = one.watch("/f", (event) => events.push(event));
  two.truncate("/f", 1);
  assertEquals(await settled(events), ["modify null"]);
  two.unlink("/f");
  assertEquals((await settled(events)).slice(1), ["delete null"]);
  watch.close();
  await rig.stop();
});

Deno.test("watchVolume() is null over a volume that no other client changes", () => {
  const volume = new ModelVolume();
  assertEquals(watchVolume(volume, VOLUMEFS.mount({ volume }), () => {}), null);
});
