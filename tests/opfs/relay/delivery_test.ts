import { assert, assertEquals, assertRejects } from "@std/assert";
import { startWorker } from "../../../opfs/relay/delivery.ts";

/** A worker's program as an address. */
function script(program: string): string {
  return `data:text/javascript,${encodeURIComponent(program)}`;
}

const LOADED = `
  const announce = () => postMessage({ type: "loaded", version: 1 });
  onmessage = announce;
  announce();`;

Deno.test("startWorker() takes an address, a URL, a maker or a worker", async () => {
  const address = script(LOADED);
  const make = () => new Worker(address, { type: "module" });
  const old = make();
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (const given of [address, new URL(address), make, old]) {
    const worker = await startWorker(given, 5000);
    assert(worker instanceof Worker);
    worker.terminate();
  }
});

Deno.test("startWorker() starts our own worker where nothing is given", async () => {
  (await startWorker(undefined, 10_000)).terminate();
});

Deno.test("startWorker() says what to do when a worker does not start", async () => {
  for (const program of ["this is no program", "", "throw new Error('broken')"]) {
    const error = await assertRejects(() => startWorker(script(program), 300)) as Error;
    assert(error.message.startsWith("ENOTSUP: cannot open the volume: no relay worker"));
    assert(error.message.includes("Cross-Origin-Embedder-Policy: require-corp"));
    assert(error.message.includes("worker-src"));
    assertEquals((error.cause as unknown[]).length, 1);
  }
});

Deno.test("startWorker() hands on what a worker finds missing", async () => {
  const program = `
    onmessage = () => postMessage({ type: "unavailable", code: "ENOTSUP", action: "no memory" });`;
  await assertRejects(
    () => startWorker(script(program), 5000),
    Error,
    "ENOTSUP: cannot open the volume: no memory",
  );
});

Deno.test("startWorker() says it where no Worker can be started at all", async () => {
  const { Worker } = globalThis;
  Reflect.deleteProperty(globalThis, "Worker");
  try {
    for (const given of [undefined, "data:,", new URL("data:,")]) {
      const error = await assertRejects(() => startWorker(given, 500)) as Error;
      assert(error.message.startsWith("ENOTSUP") && error.message.includes("dedicated worker"));
      assert(!error.message.includes("relay_worker.js"), error.message);
    }
    const worker = await startWorker(() => new Worker(script(LOADED), { type: "module" }), 5000);
    (await startWorker(worker, 5000)).terminate();
  } finally {
    Reflect.set(globalThis, "Worker", Worker);
  }
});
