import { assert, assertEquals, assertThrows } from "@std/assert";
import { Feature, hasFeature, type Platform, preflight } from "../../../opfs/relay/preflight.ts";

class FileSystemFileHandle {
  createSyncAccessHandle(): void {}
}

/** A platform that has everything. */
const WHOLE: Platform = {
  Worker: class {},
  SharedArrayBuffer: class {},
  Atomics: { waitAsync: () => {} },
  FileSystemFileHandle,
};

/** What is taken away, and what the message must say of it. */
const LACKS: Record<Feature, { platform: Platform; says: RegExp }> = {
  WORKER: { platform: { ...WHOLE, Worker: undefined }, says: /Worker.*dedicated worker/ },
  WAIT_ASYNC: { platform: { ...WHOLE, Atomics: {} }, says: /Atomics\.waitAsync.*145/ },
  SHARED_MEMORY: {
    platform: { ...WHOLE, SharedArrayBuffer: undefined },
    says: /Opener-Policy: same-origin.*Embedder-Policy: require-corp/,
  },
  SYNC_HANDLE: {
    platform: { ...WHOLE, FileSystemFileHandle: class {} },
    says: /createSyncAccessHandle.*dedicated worker/,
  },
};

const FEATURES = Object.values(Feature);

Deno.test("preflight() passes where everything is there, and asks for no more than it should", () => {
  preflight("open it", FEATURES, WHOLE);
  for (const feature of FEATURES) {
    const { platform } = LACKS[feature];
    preflight("open it", FEATURES.filter((other) => other !== feature), platform);
    assertEquals(hasFeature(feature, platform), false);
  }
});

Deno.test("preflight() names each missing feature, and what to do", () => {
  for (const feature of FEATURES) {
    const { platform, says } = LACKS[feature];
    const error = assertThrows(() => preflight("open it", FEATURES, platform)) as Error;
    assert(error.message.startsWith("ENOTSUP: cannot open it: "), error.message);
    assert(says.test(error.message), error.message);
  }
  const all = assertThrows(() => preflight("open it", FEATURES, {})) as Error;
  for (const feature of FEATURES) assert(LACKS[feature].says.test(all.message), all.message);
});

Deno.test("preflight() looks at this thread if nothing else is said", () => {
  preflight("open it", [Feature.WORKER, Feature.WAIT_ASYNC, Feature.SHARED_MEMORY]);
  assertThrows(() => preflight("open it", [Feature.SYNC_HANDLE]), Error, "ENOTSUP");
});
