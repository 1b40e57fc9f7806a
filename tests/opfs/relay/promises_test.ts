import { assertEquals, assertRejects } from "@std/assert";
import { S_IFREG } from "../../../abi/mode.ts";
import { Channel } from "../../../opfs/relay/channel.ts";
import { promisesOf, RelayPromises } from "../../../opfs/relay/promises.ts";
import { everyCall } from "../../support/every_call.ts";
import { ModelVolume } from "../../support/model_volume.ts";
import { startRig } from "../../support/relay_rig.ts";

const file = { mode: S_IFREG | 0o644, uid: 0, gid: 0 };

Deno.test("RelayPromises has every call of a volume", async () => {
  const rig = await startRig();
  const channel = new Channel(await rig.memory(16_384), rig.doorbell, { blocking: "never" });
  await everyCall(new RelayPromises(channel));
  await rig.stop();
});

Deno.test("promisesOf() has every call of a volume", async () => {
  await everyCall(promisesOf(new ModelVolume()));
});

Deno.test("RelayPromises keeps the order of calls, and goes on behind one that failed", async () => {
  const rig = await startRig();
  const promises = new RelayPromises(new Channel(await rig.memory(16_384), rig.doorbell));
  const done: string[] = [];
  const note = (what: string) => () => void done.push(what);
  await Promise.all([
    promises.create(1, "a", file).then(note("create")),
    promises.unlink(1, "b").catch(note("failed")),
    promises.create(1, "\ud800", file).catch(note("refused")),
    promises.rename(1, "a", 1, "b", 0).then(note("rename")),
    promises.unlink(1, "b").then(note("unlink")),
  ]);
  assertEquals(done, ["create", "failed", "refused", "rename", "unlink"]);
  const { UNLINK, CREATE } = await promises.metrics();
  assertEquals([UNLINK?.count, CREATE?.count], [2, 1]);
  assertEquals(await promises.stats(), {});
  await rig.stop();
  await assertRejects(() => promises.sync(), Error, "the relay worker has ended");
});
