/**
 * True kills at chosen points of the protocol, by terminate(): of a client, and of the relay. Bundled
 * by `kill_test.ts`, which finds `kill` and `closeFrame` on the page.
 */
import { type OpenedVolume, openVolume } from "../../opfs/compose/open.ts";
import { LockKind } from "../../opfs/volume_ops.ts";

/** Where a client is when it is killed. */
export type Point =
  | "before the request is seen"
  | "in the middle of a payload"
  | "after the change, before its answer"
  | "after the answer"
  | "while others learn of a change"
  | "while it waits for a lock";

/** One kill. */
export interface Kill {
  who: "client" | "relay";
  point: Point;
  /** The relay's program, and the client's. */
  programs: { relay: string; client: string };
}

/** What came of it. */
export interface Outcome {
  /** What the call of the killed relay's client has thrown; "" where the client was killed. */
  code: string;
  /** From the kill until its call had ended, or until the next had its lock, in ms. */
  noticedMs: number;
  /** Bytes of the log more than before. */
  grown: number;
  /** Inodes without a name that are still held. */
  orphans: number;
  /** What was made durable before. */
  kept: string;
  /** Bytes that a later append has added. */
  later: number;
}

interface Told {
  value?: unknown;
  code?: string;
}

const FILE = { mode: 0o100644, uid: 0, gid: 0 };
const START = 10;

function urlOf(program: string): string {
  return URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
}

/** A client in a worker. */
class Client {
  readonly worker: Worker;
  /** The lock that the thread holds as long as it lives. */
  readonly life = `life ${Math.random()}`;

  constructor(url: string) {
    this.worker = new Worker(url);
  }

  tell(message: object): Promise<Told> {
    const { promise, resolve } = Promise.withResolvers<Told>();
    this.worker.onmessage = ({ data }) => resolve(data);
    this.worker.postMessage(message);
    return promise;
  }

  async do(job: string): Promise<unknown> {
    const { value, code } = await this.tell({ job });
    if (code !== undefined) throw new Error(`${job}: ${code}`);
    return value;
  }
}

async function start(url: string, volume: OpenedVolume): Promise<Client> {
  const client = new Client(url);
  const { code } = await client.tell({ ticket: volume.share(), life: client.life });
  if (code !== undefined) throw new Error(`attach: ${code}`);
  return client;
}

const soon = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Says to the relay's thread where to stop; the result waits until it stands there. */
async function arm(relay: Worker, point: Point, gate: Int32Array): Promise<() => Promise<void>> {
  const { promise: armed, resolve } = Promise.withResolvers<void>();
  relay.addEventListener("message", ({ data }) => {
    if (data.type === "armed") resolve();
  });
  relay.postMessage({ type: "stop at", point, gate: gate.buffer });
  await armed;
  return async () => {
    while (Atomics.load(gate, 0) === 0) await soon(1);
  };
}

/** The volume, with a log of ten bytes that are durable. */
async function open(name: string, relay?: () => Worker): Promise<OpenedVolume> {
  const more = relay === undefined ? {} : { worker: relay };
  const options = { access: "relay", blocking: "spin", areaBytes: 16_384, cacheBytes: 0 } as const;
  return await openVolume({ name, ...options, ...more });
}

function make(volume: OpenedVolume): void {
  volume.create(volume.root, "held", FILE);
  const log = volume.create(volume.root, "log", FILE);
  volume.write(log, new Uint8Array(START).fill(107), 0);
  volume.fsync(log);
}

function keptOf(volume: OpenedVolume): string {
  const into = new Uint8Array(START);
  volume.read(volume.lookup(volume.root, "log"), into, 0);
  return String.fromCharCode(...into);
}

/** Kills a client at a point, and sees what became of everything. */
async function kill({ who, point, programs }: Kill): Promise<Outcome> {
  const urls = { relay: urlOf(programs.relay), client: urlOf(programs.client) };
  const name = `${who} ${point}`.replaceAll(/\W/g, "-");
  let relay: Worker | undefined;
  const volume = await open(name, () => relay = new Worker(urls.relay));
  make(volume);
  const [victim, witness] = [await start(urls.client, volume), await start(urls.client, volume)];
  const waits = point === "while it waits for a lock";
  await (waits ? witness : victim).do("hold");
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const standsThere = waits ? () => soon(100) : await arm(relay!, point, gate);
  const job = waits ? "lock" : point === "in the middle of a payload" ? "appendMuch" : "append";
  const calling = victim.tell({ job });
  await standsThere();
  const scene = { volume, victim, witness, calling, url: urls.client, name, waits };
  const killedAt = performance.now();
  if (who === "relay") {
    relay!.terminate();
    return await afterRelay(scene, killedAt);
  }
  await terminate(victim);
  const diedAt = performance.now();
  Atomics.store(gate, 1, 1);
  Atomics.notify(gate, 1);
  return await afterClient(scene, waits ? killedAt : diedAt);
}

/** Ends a client's thread, and waits until it has ended: one inside a call may go on for seconds. */
async function terminate({ worker, life }: Client): Promise<void> {
  worker.terminate();
  await navigator.locks.request(life, () => {});
}

interface Scene {
  volume: OpenedVolume;
  victim: Client;
  witness: Client;
  calling: Promise<Told>;
  url: string;
  name: string;
  waits: boolean;
}

/** The lock of the dead one is the next one's; who waited and died does not get it. */
async function afterClient(scene: Scene, killedAt: number): Promise<Outcome> {
  const { volume, witness, url, waits } = scene;
  const next = await start(url, volume);
  if (waits) {
    await soon(100);
    await witness.do("unlock");
  }
  await next.do("lock");
  const noticedMs = performance.now() - killedAt;
  const size = Number(await next.do("size"));
  await next.do("append");
  const later = Number(await next.do("size")) - size;
  for (const client of [witness, next]) {
    await client.do("leave");
    client.worker.terminate();
  }
  // What they held is given back when the relay has seen that they left.
  let orphans = 1;
  for (let left = 200; left > 0 && orphans > 0; left--) {
    orphans = Number((await volume.stats())["orphans"]);
    await soon(1);
  }
  const outcome = {
    code: "",
    noticedMs,
    grown: size - START,
    orphans,
    kept: keptOf(volume),
    later,
  };
  await volume.close();
  return outcome;
}

/** All clients have EIO, and the volume opens again. */
async function afterRelay(scene: Scene, killedAt: number): Promise<Outcome> {
  const { volume, victim, witness, calling, url, name } = scene;
  const { code = "no error" } = await calling;
  const noticedMs = performance.now() - killedAt;
  const { code: other } = await witness.tell({ job: "size" });
  let own = "no error";
  try {
    volume.getattr(volume.root);
  } catch (error) {
    own = (error as { code: string }).code;
  }
  if (other !== "EIO" || own !== "EIO") throw new Error(`others: ${other}, ${own}`);
  for (const { worker } of [victim, witness]) worker.terminate();
  const again = await open(name);
  const kept = keptOf(again);
  const next = await start(url, again);
  await next.do("lock");
  const size = Number(await next.do("size"));
  await next.do("append");
  const later = Number(await next.do("size")) - size;
  await next.do("leave");
  next.worker.terminate();
  const orphans = Number((await again.stats())["orphans"]);
  await again.close();
  await volume.close().catch(() => {});
  return { code, noticedMs, grown: size - START, orphans, kept, later };
}

/** A page within the page holds a lock and is closed; how long the next waits for it, in ms. */
async function closeFrame({ cairn, client }: { cairn: string; client: string }): Promise<number> {
  const volume = await open("framed");
  make(volume);
  const frame = document.createElement("iframe");
  frame.src = "/blank.html?frame";
  const { promise: loaded, resolve } = Promise.withResolvers<void>();
  frame.onload = () => resolve();
  document.body.append(frame);
  await loaded;
  const held = volume.lookup(volume.root, "held");
  const source = `return import(cairn).then(async ({ openVolume }) => {
    const volume = await openVolume({ ticket, blocking: "spin" });
    volume.lock(held, { kind: ${LockKind.FLOCK}, owner: 1, type: 1, start: 0, end: 0, wait: false });
  })`;
  const run = new frame.contentWindow.Function("cairn", "ticket", "held", source);
  await run(cairn, volume.share(), held);
  const next = await start(urlOf(client), volume);
  const locked = next.do("lock");
  const isFree = await Promise.race([locked.then(() => true), soon(200).then(() => false)]);
  if (isFree) throw new Error("the page within holds no lock");
  const closedAt = performance.now();
  frame.remove();
  await locked;
  const waitedMs = performance.now() - closedAt;
  await next.do("leave");
  next.worker.terminate();
  await volume.close();
  return waitedMs;
}

/** Keeps a volume busy as long as the page lives. */
async function keepBusy(client: string): Promise<void> {
  const volume = await open("closed");
  make(volume);
  const busy = await start(urlOf(client), volume);
  const goOn = async (): Promise<void> => {
    for (;;) await busy.do("append");
  };
  goOn().catch(() => {});
}

/** What is durable in the volume that another page kept busy; how long opening took, in ms. */
async function openAfter(): Promise<{ kept: string; openedMs: number; rest: number }> {
  const before = performance.now();
  const volume = await open("closed");
  const openedMs = performance.now() - before;
  const { size } = volume.getattr(volume.lookup(volume.root, "log"));
  const outcome = { kept: keptOf(volume), openedMs, rest: (size - START) % 100 };
  await volume.close();
  return outcome;
}

declare const navigator: {
  locks: { request(name: string, held: () => unknown): Promise<unknown> };
};
declare const document: {
  createElement(name: "iframe"): {
    src: string;
    onload: (() => void) | null;
    contentWindow: { Function: FunctionConstructor };
    remove(): void;
  };
  body: { append(element: unknown): void };
};

/** What the test calls in the page. */
export interface KillPage {
  kill: typeof kill;
  closeFrame: typeof closeFrame;
  keepBusy: typeof keepBusy;
  openAfter: typeof openAfter;
}

const all: KillPage = { kill, closeFrame, keepBusy, openAfter };
Reflect.set(globalThis, "kills", all);
