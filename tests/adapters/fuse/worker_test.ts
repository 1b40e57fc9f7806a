/**
 * The serving thread, as far as it comes without a mount.
 */
import { assertEquals } from "@std/assert";
import { fileHandle } from "../../../opfs/mod.ts";
import type { FromServer, MountOrder } from "../../../adapters/fuse/messages.ts";

const ignore = Deno.build.os !== "linux";

function ask(order: MountOrder): Promise<FromServer> {
  const script = new URL("../../../adapters/fuse/worker.ts", import.meta.url);
  const worker = new Worker(script, { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<FromServer>();
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => reject(new Error(event.message));
  worker.postMessage(order);
  return promise.finally(() => worker.terminate());
}

Deno.test("worker says why an image cannot be opened", { ignore }, async () => {
  const folder = Deno.makeTempDirSync();
  Deno.writeFileSync(`${folder}/text`, new TextEncoder().encode("no volume".repeat(100_000)));
  const order = { directory: folder, readOnly: false, allowOther: false, attrTimeoutMs: 0 };
  const missing = await ask({ ...order, image: `${folder}/missing` });
  assertEquals(missing.type === "failed" && missing.code, "ENOENT");
  const text = await ask({ ...order, image: `${folder}/text` });
  assertEquals(text.type === "failed" && text.code, "EINVAL");
  assertEquals([...Deno.readDirSync(folder)].length, 1, "the image is let go");
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("worker waits for an image that is being closed", { ignore }, async () => {
  const folder = Deno.makeTempDirSync();
  const image = `${folder}/text`;
  Deno.writeFileSync(image, new TextEncoder().encode("no volume".repeat(100_000)));
  const order = { image, directory: folder, allowOther: false, attrTimeoutMs: 0 };
  for (const readOnly of [false, true]) {
    const handle = fileHandle(image);
    const timer = setTimeout(() => handle.close(), 500);
    const answer = await ask({ ...order, readOnly });
    assertEquals(answer.type === "failed" && answer.code, "EINVAL");
    clearTimeout(timer);
  }
  const handle = fileHandle(image);
  const answer = await ask({ ...order, readOnly: true });
  assertEquals(answer.type === "failed" && answer.code, "EBUSY");
  handle.close();
  Deno.removeSync(folder, { recursive: true });
});
