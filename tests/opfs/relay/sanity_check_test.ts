import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { sanityCheck } from "../../../opfs/relay/sanity_check.ts";
import { ModelVolume } from "../../support/model_volume.ts";

/** Which step names a fault; what breaks is the `count`th call of one method. */
function stepFailing(method: keyof ModelVolume, count: number, result: unknown): string {
  const volume = new ModelVolume();
  const original = (volume[method] as (...args: unknown[]) => unknown).bind(volume);
  let calls = 0;
  Reflect.set(volume, method, (...args: unknown[]) => {
    if (++calls !== count) return original(...args);
    if (result instanceof Error) throw result;
    return result;
  });
  const error = assertThrows(() => sanityCheck(volume)) as Error;
  assertEquals(volume.calls.get("close"), 1);
  return /EIO: cannot trust this device: sanity check "(.*?)" failed/.exec(error.message)?.[1] ??
    error.message;
}

Deno.test("sanityCheck() passes a volume that works, and leaves nothing there", () => {
  const volume = new ModelVolume();
  sanityCheck(volume);
  assertEquals([volume.inodeCount, volume.calls.get("close")], [1, undefined]);
});

Deno.test("sanityCheck() names exactly the step whose fault is injected", () => {
  const broken = new ErrnoError("EIO", "go on");
  const rows: [keyof ModelVolume, number, unknown, string][] = [
    ["lookup", 1, 5, "access before"],
    ["create", 1, broken, "open"],
    ["lookup", 2, 0, "access after"],
    ["fsync", 1, broken, "sync"],
    ["setattr", 1, broken, "truncate"],
    ["getattr", 1, { size: 1023 }, "file size"],
    ["write", 1, 9, "write"],
    ["read", 1, 5, "read"],
    ["unlink", 1, broken, "delete"],
    ["lookup", 3, 5, "access at the end"],
  ];
  for (const [method, count, result, step] of rows) {
    assertEquals(stepFailing(method, count, result), step);
  }
});
