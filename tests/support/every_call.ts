/** Every call of a volume's promises once, on each transport. */
import { assertEquals, assertRejects } from "@std/assert";
import { S_IFLNK, S_IFREG } from "../../abi/mode.ts";
import type { VolumePromises } from "../../opfs/relay/promises.ts";

const file = { mode: S_IFREG | 0o644, uid: 0, gid: 0 };

/** Makes the calls on an empty volume, and closes it. */
export async function everyCall(volume: VolumePromises): Promise<void> {
  const root = 1;
  const [f, missing] = await Promise.all([
    volume.create(root, "f", file),
    volume.lookup(root, "gone"),
  ]);
  assertEquals([await volume.lookup(root, "f"), missing], [f, 0]);
  assertEquals(await volume.write(f, new Uint8Array(100_000).fill(3), 1), 100_000);
  assertEquals(await volume.append(f, Uint8Array.of(9)), { at: 100_001, count: 1 });
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
  assertEquals(await volume.copyRange(f, 1, f, 4, 9), 2);
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
