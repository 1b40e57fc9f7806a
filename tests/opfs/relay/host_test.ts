import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Channel, closeChannel } from "../../../opfs/relay/channel.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import { ErrnoError } from "../../../abi/errno.ts";
import { takeVolumeLock } from "../../../opfs/relay/volume_lock.ts";
import { within } from "../../support/within.ts";
import { RelayHost } from "../../../opfs/relay/host.ts";
import { type ChannelMemory, Closed, Word } from "../../../opfs/relay/protocol.ts";

const settings = { busyTimeoutMs: 100, deadlineMs: 1000, sanityCheck: false, engine: {} };
const place = { kind: "host", path: "nowhere.cairn" } as const;

/** A worker that plays its part by the given answers to messages. */
function played(answers: Record<string, string>): string {
  const cases = Object.entries(answers).map(([type, answer]) =>
    `case "${type}": ${answer}; break;`
  );
  const program = `
    const address = { doorbell: new SharedArrayBuffer(64), root: 1, report: {} };
    let standing = { type: "loaded", version: 1 };
    const say = (message) => postMessage(standing = message);
    onmessage = ({ data }) => {
      if (data.type === "announce") say(standing);
      switch (data.type) { ${cases.join("\n")} }
    };
    say(standing);`;
  return `data:text/javascript,${encodeURIComponent(program)}`;
}

const READY = `say({ type: "ready", version: 1, address })`;

function start(answers: Record<string, string>, startTimeoutMs = 3000): Promise<RelayHost> {
  return RelayHost.start({ place, settings, worker: played(answers), startTimeoutMs });
}

Deno.test("RelayHost goes from ready to closing to dead", async () => {
  const host = await start({ init: READY, close: `say({ type: "closed" })` });
  assertEquals(host.state, "ready");
  const memory = host.connect(16_384);
  assertEquals(host.clientCount, 1);
  const closing = host.close();
  assertEquals(host.state, "closing");
  assertThrows(() => host.connect(16_384), Error, "EIO: cannot attach to a relay that is closing");
  await closing;
  await host.close();
  assertEquals([host.state, host.clientCount], ["dead", 0]);
  const channel = new Channel(memory, new Doorbell());
  assertThrows(() => channel.assertOpen("read"), Error, "the relay worker has ended");
});

Deno.test("RelayHost.start() hands on why a volume cannot be had", async () => {
  const busy = `say({ type: "unavailable", code: "EBUSY", action: "open it twice" })`;
  await assertRejects(() => start({ init: busy }), Error, "EBUSY: cannot open it twice");
  const other = `say({ type: "ready", version: 99, address })`;
  await assertRejects(() => start({ init: other }), Error, "EPROTO");
  await assertRejects(() => start({ init: `say({ type: "closed" })` }), Error, "EPROTO");
  const broken = `setTimeout(() => { throw new Error("broken") })`;
  await assertRejects(() => start({ init: broken }), Error, "the relay worker has failed");
});

Deno.test("RelayHost closes all channels when its worker fails", async () => {
  const fail = `setTimeout(() => { throw new Error("broken") })`;
  const host = await start({ init: READY, hello: fail });
  const channel = new Channel(host.connect(16_384), new Doorbell());
  await assertRejects(() => channel.admitted("open"), Error, "the relay worker has ended");
  assertEquals(host.state, "dead");
  await assertRejects(() => host.close(), Error, "broken");
});

Deno.test("RelayHost closes a channel that its worker refuses", async () => {
  const refuse = `say({ type: "refused", channel: data.channel, reason: "no" })`;
  const host = await start({
    init: READY,
    hello: refuse,
    close: `say({ type: "closed" })`,
  });
  const channel = new Channel(host.connect(16_384), new Doorbell());
  await assertRejects(() => channel.admitted("open"), Error, "the relay refused");
  assertEquals([host.state, host.clientCount], ["ready", 0]);
  await host.close();
});

Deno.test("RelayHost.close() throws what closing the volume has thrown", async () => {
  const close = `say({ type: "closed", code: "ENOSPC", action: "sync" })`;
  const host = await start({ init: READY, close });
  await assertRejects(() => host.close(), Error, "ENOSPC: cannot close the volume: sync");
});

Deno.test("RelayHost.terminate() ends the thread at once", async () => {
  const host = await start({ init: READY });
  const channel = new Channel(host.connect(16_384), new Doorbell());
  host.terminate();
  assertThrows(() => channel.assertOpen("read"), Error, "EIO");
});

/** The answer follows it, so that a wait without a bound fails instead of hanging. */
const STUCK = `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20_000)`;

Deno.test("RelayHost.start() does not wait for ever for a worker that is stuck", async () => {
  const before = performance.now();
  await assertRejects(
    () => start({ init: `${STUCK}; ${READY}` }, 800),
    Error,
    "EIO: cannot wait for the volume",
  );
  assert(performance.now() - before < 10_000);
});

Deno.test("RelayHost.start() waits as long as the worker says that it lives", async () => {
  const slow = `setTimeout(() => ${READY}, 2500)`;
  const host = await start({ init: slow }, 800);
  assertEquals(host.state, "ready");
  host.terminate();
});

Deno.test("RelayHost.close() does not wait for ever for a worker that is stuck", async () => {
  const host = await start({ init: READY, close: `${STUCK}; say({ type: "closed" })` }, 800);
  const before = performance.now();
  await assertRejects(() => host.close(), Error, "has shown no life for 1000 ms");
  assert(performance.now() - before < 10_000);
  assertEquals(host.state, "dead");
});

Deno.test("RelayHost.calls() end with the worker, and none begin after it", async () => {
  const host = await start({ init: READY });
  const { calls } = host.calls();
  const waiting = calls.statfs();
  host.terminate();
  await assertRejects(() => waiting, Error, "EIO: cannot go on: the relay worker has ended");
  await assertRejects(() => calls.statfs(), Error, "EIO");
  assertThrows(() => host.calls(), Error, "EIO: cannot call a relay that is dead");
});

Deno.test("RelayHost.calls() do not wait for ever for a worker that is stuck", async () => {
  const host = await start({ init: READY, calls: STUCK }, 800);
  const before = performance.now();
  await assertRejects(() => host.calls().calls.statfs(), Error, "EIO");
  assert(performance.now() - before < 10_000);
  assertEquals(host.state, "dead");
});

/** A channel of a client that has given up. */
function givenUp(host: RelayHost): ChannelMemory {
  const memory = host.connect(16_384);
  closeChannel(memory.words, Closed.DEADLINE);
  return memory;
}

Deno.test("RelayHost.isAlive() ends no relay that lives for a client that was impatient", async () => {
  const host = await start({ init: READY });
  const other = new Channel(host.connect(16_384), new Doorbell());
  givenUp(host);
  assertEquals([await host.isAlive(), host.state], [true, "ready"]);
  other.assertOpen("read");
  host.terminate();
});

Deno.test("RelayHost.isAlive() believes a relay that hears nothing but shows that it works", async () => {
  const deaf = `const words = new Int32Array(data.channel.words);
    for (let left = 30; left > 0; left--) {
      Atomics.add(words, ${Word.HEARTBEAT}, 1);
      Atomics.wait(words, ${Word.LEASE}, 0, 100);
    }`;
  const host = await start({ init: READY, hello: deaf }, 800);
  givenUp(host);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = performance.now();
  assertEquals([await host.isAlive(), host.state], [true, "ready"]);
  assert(performance.now() - before < 2500, "it has waited for the answer");
  host.terminate();
});

Deno.test("RelayHost.isAlive() asks as long as a client waits where one has given up", async () => {
  const host = await start({ init: READY, hello: STUCK }, 60_000);
  givenUp(host);
  // What it said before it got stuck has come.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = performance.now();
  assertEquals([await host.isAlive(), host.state], [false, "dead"]);
  assert(performance.now() - before < 15_000);
});

Deno.test("RelayHost.close() waits for a relay in a long call that shows that it works", async () => {
  const deaf = `const words = new Int32Array(data.channel.words);
    for (let left = 30; left > 0; left--) {
      Atomics.add(words, ${Word.HEARTBEAT}, 1);
      Atomics.wait(words, ${Word.LEASE}, 0, 100);
    }`;
  const host = await start({ init: READY, hello: deaf, close: `say({ type: "closed" })` }, 800);
  host.connect(16_384);
  await host.close();
  assertEquals(host.state, "dead");
});

Deno.test("RelayHost.close() learns by the lock that its worker dies while it closes", async () => {
  for (const close of ["", `setTimeout(() => say({ type: "closed" }), 200)`]) {
    const path = `/${crypto.randomUUID()}.cairn`;
    const release = await takeVolumeLock(path, { timeoutMs: 1000 });
    const host = await RelayHost.start({
      place: { kind: "opfs", path },
      settings,
      worker: played({ init: READY, close }),
      startTimeoutMs: 60_000,
    });
    // The lock goes with the thread, or is given back before the last word.
    setTimeout(release, 100);
    const closing = within(20_000, host.close());
    if (close === "") await assertRejects(() => closing, ErrnoError, "EIO");
    else await closing;
    assertEquals(host.state, "dead");
  }
});
