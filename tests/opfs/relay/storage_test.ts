import { assertEquals } from "@std/assert";
import { storageReport } from "../../../opfs/relay/storage.ts";

/** The report where the browser's storage answers as given. */
async function reportWith(storage: object, persist: boolean) {
  const { navigator } = globalThis;
  const value = { storage };
  Object.defineProperty(globalThis, "navigator", { value, configurable: true });
  try {
    const { persisted, quotaBytes, usageBytes } = await storageReport({ persist });
    return [persisted, quotaBytes, usageBytes];
  } finally {
    Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  }
}

Deno.test("storageReport() asks to persist only if an option says so, and does not wait", async () => {
  const asked: string[] = [];
  const storage = {
    persist: () => Promise.resolve(asked.push("persist") > 0),
    persisted: () => Promise.resolve(false),
    estimate: () => Promise.resolve({ quota: 1000, usage: 10 }),
  };
  assertEquals(await reportWith(storage, false), [false, 1000, 10]);
  assertEquals(asked, []);
  assertEquals(await reportWith(storage, true), [true, 1000, 10]);
  assertEquals(asked, ["persist"]);
  const prompting = { ...storage, persist: () => new Promise(() => {}) };
  assertEquals(await reportWith(prompting, true), [false, 1000, 10]);
  const mute = { persisted: () => new Promise(() => {}), estimate: () => new Promise(() => {}) };
  assertEquals(await reportWith(mute, true), [null, null, null]);
  const broken = {
    persisted: () => Promise.reject(new Error("no")),
    estimate: () => Promise.reject(new Error("no")),
  };
  assertEquals(await reportWith(broken, true), [null, null, null]);
  assertEquals(await reportWith({}, true), [null, null, null]);
});
