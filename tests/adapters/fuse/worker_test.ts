/**
 * The serving thread, as far as it comes without a mount.
 */
import { assertEquals } from "@std/assert";
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
