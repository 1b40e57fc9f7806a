/**
 * Nothing grows with time: after many opens, tickets, images, watches and calls over one relay, both
 * sides keep what they kept before. CAIRN_LONG=1: 1,000 of each.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { openVolume } from "../../../opfs/compose/open.ts";
import { countOpened, enterRelay } from "../../../opfs/compose/open_relays.ts";
import { type RelayHost, UNCLAIMED_MAX } from "../../../opfs/relay/host.ts";

const TIMES = Deno.env.get("CAIRN_LONG") === "1" ? 1000 : 60;
const FILE = { mode: 0o100644, uid: 0, gid: 0 };

/** What both sides keep, once the relay has said who has left. */
async function keptBy(host: RelayHost, clients: number): Promise<Record<string, unknown>> {
  for (let look = 0; look < 100 && host.clientCount > clients; look++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const port = host.calls();
  // What is written over is kept for images that have not ended.
  const ino = await port.calls.lookup(1, "a");
  for (let turn = 0; turn < 3 && ino !== 0; turn++) {
    await port.calls.write(ino, new Uint8Array(40_000), 0);
    await port.calls.sync();
  }
  const stats = await port.stats();
  await port.calls.close();
  return {
    ...host.kept,
    ...countOpened(),
    clientCount: host.clientCount,
    served: stats["relay.clients"],
    unclaimed: stats["relay.unclaimed"],
    orphans: stats["orphans"],
    usedBlocks: Number(stats["blocks"]) - Number(stats["freeBlocks"]),
    inodes: Number(stats["slots"]) - Number(stats["freeSlots"]),
  };
}

Deno.test("nothing is kept of clients, tickets, images, watches and calls that have ended", async () => {
  const directory = Deno.makeTempDirSync();
  const name = `${directory}/a.cairn`;
  const place = { kind: "host", path: name } as const;
  const { host, leave } = await enterRelay(place, {});
  const open = (more = {}) => openVolume({ name, access: "relay", areaBytes: 16_384, ...more });
  const stays = await open();
  const ino = stays.create(stays.root, "a", FILE);
  const acts: Record<string, () => Promise<unknown>> = {
    open: async () => (await open()).close(),
    "open and work": async () => {
      const volume = await open();
      volume.retain(ino);
      volume.write(ino, new Uint8Array(40_000), 0);
      await volume.promises.read(ino, new Uint8Array(40_000), 0);
      await volume.close();
    },
    "take a ticket": async () => (await openVolume(stays.share())).close(),
    "refused open": () => assertRejects(() => open({ durability: "op" }), Error, "EBUSY"),
    "refused ticket": () =>
      assertRejects(() => openVolume({ ticket: "none" as never }), Error, "EINVAL"),
    "read an image": async () => {
      for await (const _ of stays.exportImage());
    },
    "cancel an image": () => stays.exportImage().cancel(),
    "leave an image half read": async () => {
      const reader = stays.exportImage().getReader();
      await reader.read();
      await reader.cancel();
    },
    compact: () => stays.compact(),
    "call compacting off": () => {
      const control = new AbortController();
      const { signal } = control;
      const onProgress = () => control.abort();
      return stays.compact({ signal, onProgress }).catch(() => {});
    },
    watch: () => Promise.resolve(stays.onChange!(() => {})()),
    "call by messages": async () => {
      const { calls } = host.calls();
      await calls.retain(ino);
      await calls.release(ino);
      await calls.close();
    },
  };
  const clients = host.clientCount;
  const before = await keptBy(host, clients);
  const rss: string[] = [];
  for (const [act, run] of Object.entries(acts)) {
    const bytes = Deno.memoryUsage().rss;
    for (let left = TIMES; left > 0; left--) await run();
    assertEquals(await keptBy(host, clients), before, act);
    rss.push(`${act} ${Math.round((Deno.memoryUsage().rss - bytes) / TIMES / 1024)}`);
  }
  console.log(`growth in KiB for each of ${TIMES}: ${rss.join(", ")}`);
  await stays.close();
  await leave();
  assertEquals(countOpened(), { relays: 0, direct: 0 });
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("tickets that are never taken are bounded, cost calls nothing, and say that they are off", async () => {
  const directory = Deno.makeTempDirSync();
  const name = `${directory}/a.cairn`;
  const { host, leave } = await enterRelay({ kind: "host", path: name }, {});
  const volume = await openVolume({ name, access: "relay", areaBytes: 16_384 });
  const oldest = volume.share();
  const taken = await openVolume(volume.share());
  for (let left = UNCLAIMED_MAX; left > 0; left--) volume.share();
  const newest = volume.share();
  const most = 4 + UNCLAIMED_MAX;
  const { served, unclaimed } = await keptBy(host, most);
  assert(host.clientCount <= most, `${host.clientCount} channels`);
  assertEquals(served, 4, "what is not taken is not served");
  assert(Number(unclaimed) <= UNCLAIMED_MAX, `${unclaimed} wait`);
  const error = await assertRejects(() => openVolume(oldest)) as Error;
  assert(error.message.includes("was not taken while many newer ones were made"), error.message);
  const late = await openVolume(newest);
  assertEquals([late.lookup(late.root, "a"), taken.lookup(taken.root, "a")], [0, 0]);
  await late.close();
  await taken.close();
  await volume.close();
  await leave();
  Deno.removeSync(directory, { recursive: true });
});
