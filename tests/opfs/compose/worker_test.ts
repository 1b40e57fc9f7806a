import { assert, assertEquals, assertRejects } from "@std/assert";
import { fileHandle } from "../../../opfs/device/file.ts";
import { Channel, claimChannel, closeChannel } from "../../../opfs/relay/channel.ts";
import { RelayClient } from "../../../opfs/relay/client.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import { RelayHost } from "../../../opfs/relay/host.ts";
import type { FromWorker, ToWorker } from "../../../opfs/relay/messages.ts";
import {
  type ChannelMemory,
  Closed,
  createChannelMemory,
  MESSAGE_VERSION,
  Word,
} from "../../../opfs/relay/protocol.ts";
import { checkVolume } from "../../../opfs/volume/tools/check.ts";

const settings = { busyTimeoutMs: 100, deadlineMs: 1000, sanityCheck: false, engine: {} };

const NO_CHANNEL = { words: new SharedArrayBuffer(8), area: new SharedArrayBuffer(8) };
const PROGRAM = new URL("../../../opfs/compose/worker.ts", import.meta.url).href;

/** The real worker, spoken to by hand. Signs of life repeat what it said. */
function spoken({ url = PROGRAM, withLife = false } = {}) {
  const worker = new Worker(url, { type: "module" });
  const heard: FromWorker[] = [];
  let wake = () => {};
  const standings = new Set<string>();
  worker.onmessage = ({ data }) => {
    const isLife = standings.has(data.type);
    if (data.type === "loaded" || data.type === "ready") standings.add(data.type);
    if (isLife && !withLife) return;
    heard.push(data);
    wake();
  };
  const hear = async (): Promise<FromWorker> => {
    while (heard.length === 0) await new Promise<void>((resolve) => wake = resolve);
    return heard.shift()!;
  };
  const say = (message: ToWorker) => worker.postMessage(message);
  return { worker, hear, say };
}

/** A channel, taken as the taker of a ticket does it. */
function taken(memory: ChannelMemory, buffer: SharedArrayBuffer): Channel {
  const doorbell = new Doorbell(buffer);
  claimChannel(memory);
  doorbell.claim();
  return new Channel(memory, doorbell);
}

async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync();
  try {
    await run(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("the relay's worker says loaded, ready, refused and closed in their turn", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/a.cairn`;
    const { worker, hear, say } = spoken();
    assertEquals(await hear(), { type: "loaded", version: MESSAGE_VERSION });
    const place = { kind: "host", path } as const;
    say({ type: "init", version: MESSAGE_VERSION, place, settings });
    const ready = await hear();
    assert(ready.type === "ready" && ready.version === MESSAGE_VERSION);
    say({ type: "init", version: MESSAGE_VERSION, place, settings });
    assertEquals((await hear() as { code: string }).code, "EBUSY");
    say({ type: "hello", channel: NO_CHANNEL });
    assertEquals((await hear()).type, "refused");
    const memory = createChannelMemory(16_384);
    say({ type: "hello", channel: memory.buffers });
    const channel = taken(memory, ready.address.doorbell!);
    await channel.admitted("attach");
    const client = new RelayClient(channel, ready.address);
    client.create(client.root, "a", { mode: 0o100644, uid: 0, gid: 0 });
    say({ type: "close" });
    assertEquals(await hear(), { type: "closed" });
    worker.terminate();
    const handle = fileHandle(path, { readOnly: true });
    const { clean, wasClean, files } = checkVolume(handle);
    handle.close();
    assertEquals({ clean, wasClean, files }, { clean: true, wasClean: true, files: 1 });
  });
});

Deno.test("the relay's worker says unavailable, and why", async () => {
  await withDirectory(async (directory) => {
    const place = { kind: "host", path: `${directory}/no/a.cairn` } as const;
    for (const [version, code] of [[MESSAGE_VERSION, "ENOENT"], [99, "EPROTO"]] as const) {
      const { worker, hear, say } = spoken();
      await hear();
      say({ type: "init", version, place, settings });
      const answer = await hear();
      assert(answer.type === "unavailable" && answer.code === code, JSON.stringify(answer));
      worker.terminate();
    }
  });
});

Deno.test("the relay's worker takes no channel before it is ready", async () => {
  const { worker, hear, say } = spoken();
  await hear();
  say({ type: "hello", channel: createChannelMemory(16_384).buffers });
  const answer = await hear();
  assert(answer.type === "refused" && answer.reason.includes("no volume is open"), answer.type);
  worker.terminate();
});

Deno.test("a relay that cannot go on says so at once, and its clients learn of it", async () => {
  await withDirectory(async (directory) => {
    const server = PROGRAM.replace("compose/worker.ts", "relay/server.ts");
    const broken = `import { Relay } from "${server}";
      Relay.prototype.beat = function () { if (this.clientCount > 1) throw new Error("broken"); };
      await import("${PROGRAM}");`;
    Deno.writeTextFileSync(`${directory}/w.js`, broken);
    const place = { kind: "host", path: `${directory}/a.cairn` } as const;
    const worker = new Worker(`file://${directory}/w.js`, { type: "module" });
    const host = await RelayHost.start({ place, settings, worker, startTimeoutMs: 20_000 });
    const before = performance.now();
    const channels = [1, 2].map(() => {
      return taken(host.connect(16_384), host.address.doorbell!);
    });
    for (const channel of channels) {
      await channel.admitted("attach").catch(() => {});
      while (Atomics.load(channel.memory.words, Word.CLOSED) === Closed.OPEN) {
        assert(performance.now() - before < 5000, "no notice");
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    assertEquals(host.state, "dead");
    await assertRejects(() => host.close(), Error, "broken");
  });
});

Deno.test("the relay's worker hears messages while a client keeps it busy", async () => {
  await withDirectory(async (directory) => {
    const { worker, hear, say } = spoken();
    await hear();
    const place = { kind: "host", path: `${directory}/a.cairn` } as const;
    say({ type: "init", version: MESSAGE_VERSION, place, settings });
    const ready = await hear();
    assert(ready.type === "ready");
    const { doorbell } = ready.address;
    const busy = createChannelMemory(16_384);
    say({ type: "hello", channel: busy.buffers });
    taken(busy, doorbell!);
    const client = new Worker(new URL("../../support/client_worker.ts", import.meta.url).href, {
      type: "module",
    });
    const ended = new Promise((resolve) => {
      client.onmessage = ({ data }) => resolve(data);
      client.onerror = (event) => {
        event.preventDefault();
        resolve(event.message);
      };
    });
    client.postMessage({ buffers: busy.buffers, doorbell, job: "files", mark: 1, rounds: 1e9 });
    await new Promise((resolve) => setTimeout(resolve, 150));
    const waits: number[] = [];
    for (let round = 0; round < 9; round++) {
      const memory = createChannelMemory(16_384);
      const before = performance.now();
      say({ type: "hello", channel: memory.buffers });
      const channel = taken(memory, doorbell!);
      await channel.admitted("attach");
      waits.push(performance.now() - before);
      channel.close();
    }
    // One that is late is the machine's, which has other things to do; most are not.
    waits.sort((x, y) => x - y);
    assert(waits[4]! < 500, `admitted after ${waits.map(Math.round)} ms`);
    closeChannel(busy.words, Closed.LEFT);
    assert(String(await ended).includes("the volume has been closed here"));
    client.terminate();
    say({ type: "close" });
    await hear();
    worker.terminate();
  });
});

Deno.test("the relay's worker shows life while it opens and closes", async () => {
  await withDirectory(async (directory) => {
    // A clock that leaps at each look makes every call of the device a long one.
    const leaping = "let now = 0; performance.now = () => now += 300;";
    Deno.writeTextFileSync(`${directory}/w.js`, `${leaping} await import("${PROGRAM}");`);
    const { worker, hear, say } = spoken({ url: `file://${directory}/w.js`, withLife: true });
    assertEquals((await hear()).type, "loaded");
    const place = { kind: "host", path: `${directory}/a.cairn` } as const;
    say({ type: "init", version: MESSAGE_VERSION, place, settings });
    const opening = [await hear()];
    while (opening.at(-1)?.type === "loaded") opening.push(await hear());
    assertEquals(opening.at(-1)?.type, "ready");
    assert(opening.length > 2, "silent while it opened");
    say({ type: "close" });
    const closing = [await hear()];
    while (closing.at(-1)?.type === "ready") closing.push(await hear());
    assertEquals(closing.at(-1), { type: "closed" });
    assert(closing.length > 2, "silent while it closed");
    worker.terminate();
  });
});

/** Where a worker stands, how it got there, and what it says to each message. */
const TRANSITIONS: readonly [
  standing: string,
  way: ("init" | "bad init" | "close")[],
  said: Record<"announce" | "init" | "bad hello" | "close", string>,
][] = [
  ["loaded", [], { announce: "loaded", init: "ready", "bad hello": "refused", close: "closed" }],
  ["ready", ["init"], {
    announce: "ready",
    init: "unavailable EBUSY",
    "bad hello": "refused",
    close: "closed",
  }],
  ["unavailable", ["bad init"], {
    announce: "unavailable ENOENT",
    init: "unavailable EBUSY",
    "bad hello": "refused",
    close: "closed",
  }],
  ["closed", ["init", "close"], {
    announce: "closed",
    init: "unavailable EBUSY",
    "bad hello": "refused",
    close: "closed",
  }],
];

for (const [standing, way, said] of TRANSITIONS) {
  for (const [event, want] of Object.entries(said)) {
    Deno.test(`the relay's worker that is ${standing} says "${want}" to "${event}"`, async () => {
      await withDirectory(async (directory) => {
        const { worker, hear, say } = spoken({ withLife: true });
        const place = { kind: "host", path: `${directory}/a.cairn` } as const;
        const nowhere = { kind: "host", path: `${directory}/no/a.cairn` } as const;
        const version = MESSAGE_VERSION;
        const messages: Record<string, ToWorker> = {
          announce: { type: "announce" },
          init: { type: "init", version, place, settings },
          "bad init": { type: "init", version, place: nowhere, settings },
          "bad hello": { type: "hello", channel: NO_CHANNEL },
          close: { type: "close" },
        };
        assertEquals((await hear()).type, "loaded");
        // Signs of life, which repeat where it stood before, are passed over.
        const hearOther = async (than: string) => {
          for (;;) {
            const heard = await hear();
            if (heard.type !== than) return heard;
          }
        };
        let stands = "loaded";
        for (const step of way) {
          say(messages[step]!);
          stands = (await hearOther(stands)).type;
        }
        assertEquals(stands, standing);
        say(messages[event]!);
        const answer = want.startsWith(standing) ? await hear() : await hearOther(standing);
        const code = answer.type === "unavailable" ? ` ${answer.code}` : "";
        assertEquals(answer.type + code, want);
        // What it has said beside the way does not change where it stands.
        const isNews = event === "close" || standing === "loaded" && event === "init";
        say(messages.announce!);
        assertEquals((await hear()).type, isNews ? want : standing);
        say(messages.close!);
        worker.terminate();
      });
    });
  }
}
