/** What openVolume() takes for which volume, and what it refuses. */
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import {
  type OpenOptions,
  openOptions,
  type VolumeTicket,
} from "../../../opfs/compose/open_options.ts";

Deno.test("openOptions() distinguishes a name, a device, a ticket and options", () => {
  assertEquals(openOptions("notes"), { name: "notes" });
  const handle = memoryHandle();
  assertStrictEquals(openOptions(handle).handle, handle);
  const ticket = { kind: "cairn ticket", name: "notes" } as VolumeTicket;
  assertStrictEquals(openOptions(ticket).ticket, ticket);
  const options: OpenOptions = { name: "notes", access: "relay", blocking: "spin", cacheBytes: 0 };
  assertStrictEquals(openOptions(options), options);
});

Deno.test("openOptions() refuses what is no volume, and options of the wrong kind", () => {
  for (const what of [undefined, null, 5, true, Symbol("x"), () => {}]) {
    assertThrows(() => openOptions(what as never), ErrnoError, "EINVAL");
  }
  const wrong: Record<string, unknown[]> = {
    name: [5, null],
    access: ["direkt", 1, null],
    blocking: ["wait", true],
    deadlineMs: [0, -1, NaN, Infinity, "1"],
    busyTimeoutMs: [-1, NaN, 0.5],
    areaBytes: [16_383, 2 ** 54, "x"],
    cacheBytes: [-1, NaN],
  };
  for (const [key, values] of Object.entries(wrong)) {
    for (const value of values) {
      const open = () => openOptions({ name: "notes", [key]: value } as OpenOptions);
      assertThrows(open, ErrnoError, `as the option "${key}"`);
    }
  }
});
