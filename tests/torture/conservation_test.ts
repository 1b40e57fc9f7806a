/** Conservation: movers on one file, killed at random; the sum of its records holds, always. */
import { assert, assertEquals } from "@std/assert";
import { Channel } from "../../opfs/relay/channel.ts";
import { RelayClient } from "../../opfs/relay/client.ts";
import { Doorbell } from "../../opfs/relay/doorbell.ts";
import { Closed, createChannelMemory } from "../../opfs/relay/protocol.ts";
import { Random } from "../support/random.ts";
import { makeRecords, SUM, sumOf } from "./movers.ts";
import { ask, type Control } from "./run.ts";

const MOVERS = 4;
const KILLS = Deno.env.get("CAIRN_LONG") === "1" ? 400 : 40;

function start(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url).href, { type: "module" });
}

const soon = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Kills movers at random and starts others; returns how often amounts were moved. */
async function conserve(kills: number, seed: number, control: Control): Promise<number> {
  const random = new Random(seed);
  const doorbell = new SharedArrayBuffer(64);
  const stop = new SharedArrayBuffer(4);
  const relay = start();
  await ask(relay, { role: "relay", doorbell, channels: [], path: "", control });
  const attached = async () => {
    const memory = createChannelMemory(16_384);
    await ask(relay, { attach: memory.buffers });
    return memory;
  };
  const observer = new RelayClient(new Channel(await attached(), new Doorbell(doorbell)), {
    root: 1,
  });
  const ino = makeRecords(observer);
  /** A new client, in a thread of its own or in one whose client has died. */
  const startMover = async (worker = start()) => {
    const memory = await attached();
    const message = { role: "mover", buffers: memory.buffers, doorbell, ino, stop };
    const count = ask(worker, { ...message, seed: random.below(1e9) }) as Promise<number>;
    // Its waiter hears of it; until then it is not handled.
    count.catch(() => {});
    const end = () => {
      // A thread inside a call does not end by terminate() here: its channel's end ends the call.
      Atomics.compareExchange(memory.words, 48, Closed.OPEN, Closed.CLIENT_GONE);
      Atomics.notify(memory.words, 32);
      new Doorbell(doorbell).ring();
      return count;
    };
    return { count, end, worker };
  };
  let moved = 0;
  const movers: Awaited<ReturnType<typeof startMover>>[] = [];
  while (movers.length < MOVERS) movers.push(await startMover());
  try {
    for (let left = kills; left > 0; left--) {
      await soon(random.below(20));
      const index = random.below(MOVERS);
      moved += await movers[index]!.end();
      assertEquals(sumOf(observer, ino), SUM);
      movers[index] = await startMover(movers[index]!.worker);
    }
    Atomics.store(new Int32Array(stop), 0, 1);
    for (const { count } of movers) moved += await count;
    assertEquals(sumOf(observer, ino), SUM);
    return moved;
  } finally {
    Atomics.store(new Int32Array(stop), 0, 1);
    await Promise.allSettled(movers.map(({ end }) => end()));
    for (const { worker } of movers) worker.terminate();
    const { violations } = await ask(relay, { finish: true }) as { violations: string[] };
    relay.terminate();
    assertEquals(violations, []);
  }
}

Deno.test("the sum of two records holds while their movers are killed at random", async () => {
  const seed = Number(Deno.env.get("CAIRN_SEED") ?? Date.now() % 1e9);
  console.log(`seed ${seed}`);
  const moved = await conserve(KILLS, seed, "none");
  assert(moved > KILLS, `moved ${moved} times`);
});

Deno.test("without locks the sum does not hold", async () => {
  for (let seed = 1; seed < 6; seed++) {
    const failure = await conserve(40, seed, "no-locks").then(() => null, (error) => error);
    if (failure !== null) return;
  }
  throw new Error("it held without locks");
});
