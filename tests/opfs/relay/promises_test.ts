import { assertEquals, assertRejects } from "@std/assert";
import { S_IFLNK, S_IFREG } from "../../../abi/mode.ts";
import { Channel } from "../../../opfs/relay/channel.ts";
import { promisesOf, RelayPromises, type VolumePromises } from "../../../opfs/relay/promises.ts";
import { ModelVolume } from "../../support/model_volume.ts";
import { startRig } from "../../support/relay_rig.ts";

const file = { mode: S_IFREG | 0o644, uid: 0, gid: 0 };

/** Every call once; the same for both kinds. */
async function everyCall(volume: VolumePromises): Promise<void> {
  const root = 1;
  const [f, missing] = await Promise.all([
    volume.create(root, "f", file),
    volume.lookup(root, "gone"),
  ]);
  assertEquals([await volume.lookup(root, "f"), missing], [f, 0]);
  assertEquals(await volume.write(f, new Uint8Array(100_000).fill(3), 1), 100_000);
  assertEquals(await volume.append(f, Uint8Array.of(9)), 100_002);
  const into = new Uint8Array(200_000);
  assertEquals(await volume.read(f, into, 0), 100_002);
  assertEquals([into[0], into[1], into[100_001], into[100_002]], [0, 3, 9, 0]);
  await volume.link(f, root, "g");
  await volume.rename(root, "g", root, "h", 0);
  await volume.setattr(f, { size: 3 });
  assertEquals((await volume.getattr(f)).size, 3);
  const l = await volume.create(root, "l", { ...file, mode: S_IFLNK | 0o777, target: "f" });
  assertEquals(await volume.readlink(l), "f");
  assertEquals((await volume.readdir(root, 0)).map((entry) => entry.name), ["f", "h", "l"]);
  const unnamed = await volume.tmpfile(root, file);
  await volume.allocate(unnamed, 0, 0, 9000);
  assertEquals(await volume.seek(unnamed, 5, 4), 5);
  await volume.release(unnamed);
  await volume.setxattr(f, "user.a", new Uint8Array(20_000).fill(4), 0);
  assertEquals(await volume.getxattr(f, "user.a"), new Uint8Array(20_000).fill(4));
  assertEquals(await volume.getxattr(f, "user.b"), null);
  assertEquals(await volume.listxattr(f), ["user.a"]);
  assertEquals([await volume.removexattr(f, "user.a"), await volume.removexattr(f, "user.a")], [
    true,
    false,
  ]);
  await volume.retain(f);
  await volume.unlink(root, "f");
  await volume.release(f);
  await volume.create(root, "d", { ...file, mode: 0o040755 });
  await volume.rmdir(root, "d");
  await volume.fsync(f);
  await volume.sync();
  assertEquals((await volume.statfs()).blockSize, 4096);
  await assertRejects(() => volume.unlink(root, "gone"), Error, "ENOENT");
  await volume.close();
}

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
