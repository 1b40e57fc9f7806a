/** Work that a worker does once: its answer, its progress, its refusal, and its end by a signal. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { ErrnoError } from "../../../abi/errno.ts";
import { askWorker } from "../../../opfs/compose/ask_worker.ts";
import { openVolume } from "../../../opfs/compose/open.ts";
import { within } from "../../support/within.ts";
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

/** A worker that is asked to upgrade, and what it does then and when it is to stop. */
function played({ upgrade, abort = "" }: { upgrade: string; abort?: string }): string {
  const program = `
    const loaded = { type: "loaded", version: 1 };
    onmessage = ({ data }) => {
      if (data.type === "announce") postMessage(loaded);
      if (data.type === "upgrade") { ${upgrade} }
      if (data.type === "abort") { ${abort} }
    };
    postMessage(loaded);`;
  return `data:text/javascript,${encodeURIComponent(program)}`;
}

Deno.test("askWorker() does not wait for ever for a worker that dies without a word", async () => {
  for (const upgrade of ["close()", "for (;;);"]) {
    const options = { type: "upgraded" as const, worker: played({ upgrade }), deadlineMs: 500 };
    await assertRejects(() => within(10_000, askWorker(ask("v"), options)), ErrnoError, "EIO");
  }
});

Deno.test("askWorker() waits as long as a worker says that it lives", async () => {
  const upgrade = `setTimeout(() => postMessage({ type: "upgraded", report: null }), 1500)`;
  const options = { type: "upgraded" as const, worker: played({ upgrade }), deadlineMs: 500 };
  assertEquals((await askWorker(ask("v"), options)).report, null);
});

Deno.test("askWorker() lets a worker clear away what it has begun, but not for ever", async () => {
  const stopped = `setTimeout(() => postMessage({ type: "unavailable", code: "EIO" }), 100)`;
  for (const abort of [stopped, ""]) {
    const worker = played({ upgrade: "", abort });
    const controller = new AbortController();
    const { signal } = controller;
    const asked = askWorker(ask("v"), { type: "upgraded", worker, signal });
    setTimeout(() => controller.abort(new Error("enough")), 300);
    await assertRejects(() => within(10_000, asked), Error, "enough");
  }
});

Deno.test("askWorker() leaves no file of an upgrade that was ended", async () => {
  const { path, folder } = await olderVolume(64 << 20);
  const controller = new AbortController();
  const { signal } = controller;
  const onProgress = (): void => controller.abort(new Error("enough"));
  const options = { type: "upgraded" as const, worker: undefined, onProgress, signal };
  await assertRejects(() => askWorker(ask(path), options), Error, "enough");
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["v.cairn"]);
  Deno.removeSync(folder, { recursive: true });
});
