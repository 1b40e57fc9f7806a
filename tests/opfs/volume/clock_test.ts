/** What is stored when a caller's clock says no time. */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { checkVolume } from "../../../opfs/volume/tools/check.ts";
import { finiteClock } from "../../../opfs/volume/clock.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { FILE } from "../../support/on_volume.ts";

const NO_TIMES: readonly unknown[] = [NaN, Infinity, -Infinity, undefined, null, "5", 10n, {}];

Deno.test("finiteClock() says what the clock says, and the host's time where that is invalid", () => {
  assertEquals(finiteClock(() => 1.5)(), 1.5);
  for (const time of NO_TIMES) {
    const before = Date.now();
    const now = finiteClock(() => time)();
    assert(now >= before && now <= Date.now(), String(time));
  }
});

Deno.test("a volume opens again whatever its clock said", () => {
  for (const time of NO_TIMES) {
    const handle = memoryHandle();
    const clock = (() => time) as () => number;
    const volume = openVolumeSync(handle, { clock });
    const ino = volume.create(volume.root, "a", FILE);
    volume.write(ino, new Uint8Array(9), 0);
    volume.read(ino, new Uint8Array(9), 0);
    volume.close();
    assertEquals(checkVolume(handle).violations, [], String(time));
    openVolumeSync(handle).close();
  }
});
