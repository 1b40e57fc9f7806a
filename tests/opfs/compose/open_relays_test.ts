/** What one thread has open, and its relays: one for each volume, and none when all have left. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type OpenOptions, openVolume } from "../../../opfs/compose/open.ts";
import {
  countOpened,
  enterRelay,
  noteDirect,
  ofThisThread,
} from "../../../opfs/compose/open_relays.ts";
import { ErrnoError } from "../../../abi/errno.ts";

const relayed = (name: string, options: OpenOptions) =>
  openVolume({ ...options, name, access: "relay" });

Deno.test("EBUSY says that it is this thread that has the volume open", async () => {
  const directory = Deno.makeTempDirSync();
  const name = `${directory}/a.cairn`;
  const first = await relayed(name, {});
  const error = await assertRejects(() => openVolume(name)) as Error;
  assert(error.message.startsWith("EBUSY") && error.message.includes("through a relay"));
  await first.close();
  const held = await openVolume(name);
  for (const access of ["direct", "relay"] as const) {
    const again = await assertRejects(() =>
      openVolume({ name, access, busyTimeoutMs: 50 })
    ) as Error;
    assert(again.message.startsWith("EBUSY") && again.message.includes("itself, directly"));
  }
  await held.close();
  await (await openVolume(name)).close();
  assertEquals(countOpened(), { relays: 0, direct: 0 });
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("enterRelay() starts one relay for all, which ends with the last of them", async () => {
  const directory = Deno.makeTempDirSync();
  const place = { kind: "host", path: `${directory}/a.cairn` } as const;
  const [one, two] = await Promise.all([enterRelay(place, {}), enterRelay(place, {})]);
  assertEquals([one.host === two.host, countOpened().relays], [true, 1]);
  await one.leave();
  assertEquals([two.host.state, countOpened().relays], ["ready", 1]);
  await two.leave();
  assertEquals([two.host.state, countOpened().relays], ["dead", 0]);
  const missing = { kind: "host", path: `${directory}/none/a.cairn` } as const;
  await assertRejects(() => enterRelay(missing, {}), Error, "ENOENT");
  assertEquals(countOpened(), { relays: 0, direct: 0 });
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("ofThisThread() speaks of this thread only while it has the volume open", () => {
  const place = { kind: "opfs", path: "/a.cairn" } as const;
  const busy = new ErrnoError("EBUSY", "open it");
  assertEquals(ofThisThread(busy, place), busy);
  const forget = [noteDirect(place), noteDirect(place)];
  forget.pop()!();
  assert(String(ofThisThread(busy, place)).includes("this thread has it open itself"));
  const full = new ErrnoError("ENOSPC", "open it");
  assertEquals(ofThisThread(full, place), full);
  forget.pop()!();
  assertEquals(ofThisThread(busy, place), busy);
});
