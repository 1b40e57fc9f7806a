/** Work that a worker does once: its answer, its progress, its refusal, and its end by a signal. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { ErrnoError } from "../../../abi/errno.ts";
import { askWorker } from "../../../opfs/compose/ask_worker.ts";
import { openVolume } from "../../../opfs/compose/open.ts";
import { goldenPath } from "../../golden/images.ts";

const older = new Uint8Array(gunzipSync(Deno.readFileSync(goldenPath("older_closed"))));

/** An older volume in a folder of its own, of so many further bytes. */
async function olderVolume(bytes: number): Promise<{ path: string; folder: string }> {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/v.cairn`;
  Deno.writeFileSync(path, older);
  const volume = await openVolume(path);
  const ino = volume.create(volume.root, "more", { mode: 0o100644, uid: 0, gid: 0 });
  for (let at = 0; at < bytes; at += 1 << 20) {
    volume.write(ino, new Uint8Array(1 << 20).fill(1), at);
  }
  await volume.close();
  return { path, folder };
}

const ask = (path: string) => ({
  type: "upgrade" as const,
  place: { kind: "host" as const, path },
  settings: { busyTimeoutMs: 100 },
});

Deno.test("askWorker() gives the worker's answer, with progress on the way", async () => {
  const { path, folder } = await olderVolume(128 << 20);
  let heard = 0;
  const onProgress = (
    { doneBytes, totalBytes }: { doneBytes: number; totalBytes: number },
  ): void => {
    assert(doneBytes <= totalBytes);
    heard++;
  };
  const options = { type: "upgraded" as const, worker: undefined, onProgress };
  const { report } = await askWorker(ask(path), options);
  assert((report as { isComplete: boolean }).isComplete && heard > 0);
  assertEquals((await askWorker(ask(path), options)).report, null);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("askWorker() throws what the worker says, and the reason of a signal", async () => {
  const { path, folder } = await olderVolume(128 << 20);
  const options = { type: "upgraded" as const, worker: undefined };
  const missing = askWorker(ask(`${path}2`), options);
  await assertRejects(() => missing, ErrnoError, "ENOENT");
  const before = Deno.readFileSync(path);
  const controller = new AbortController();
  const onProgress = (): void => controller.abort(new Error("enough"));
  const ended = askWorker(ask(path), { ...options, onProgress, signal: controller.signal });
  await assertRejects(() => ended, Error, "enough");
  assertEquals(Deno.readFileSync(path), before);
  Deno.removeSync(folder, { recursive: true });
});
