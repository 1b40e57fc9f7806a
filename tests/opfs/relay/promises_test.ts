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

Deno.test("RelayPromises keeps the order of calls, and goes on after one that failed", async () => {
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

/** Takes the memory of a view away, as a program does whose memory grows. */
function takeAway(bytes: Uint8Array<ArrayBuffer>): void {
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
}

Deno.test("RelayPromises goes on after a call whose memory has gone while it waited", async () => {
  const rig = await startRig();
  const promises = new RelayPromises(new Channel(await rig.memory(16_384), rig.doorbell));
  const ino = await promises.create(1, "a", file);
  for (const length of [10, 100_000]) {
    await promises.write(ino, new Uint8Array(length).fill(7), 0);
    const into = new Uint8Array(length);
    const reading = promises.read(ino, into, 0);
    await Promise.resolve();
    takeAway(into);
    await assertRejects(() => reading, Error, "EINVAL");
    for (const call of ["write", "append"]) {
      const bytes = new Uint8Array(length);
      const sent = call === "write" ? promises.write(ino, bytes, 0) : promises.append(ino, bytes);
      // The request is made in the next turn; what is sent by then has been sent.
      await Promise.resolve();
      await Promise.resolve();
      takeAway(bytes);
      if (length > 16_384) await assertRejects(() => sent, Error, "EINVAL");
      else await sent;
      const size = (await promises.getattr(ino)).size;
      assertEquals(await promises.read(ino, new Uint8Array(5), 0), 5, `${call}, ${size} bytes`);
    }
  }
  await rig.stop();
});
