/**
 * What the browser suites do to a relay and its clients: true kills, with threads that end in the
 * middle of a call. Each function is sent to a page as text, and loads the built bundle there.
 */
type Cairn = typeof import("../../mod.ts");

/** What every scenario is given. */
export interface Scene {
  /** Address of the bundle. */
  cairn: string;
  /** The volume's name. */
  name: string;
  /** How often something is killed. */
  kills?: number;
}

/** The program of a client in a thread of its own, which does what each message says. */
const CLIENT = `
const F_WRLCK = 1, F_UNLCK = 2, FLOCK = 1, RANGE = 0;
const now = () => performance.timeOrigin + performance.now();
let volume;
const whole = { kind: FLOCK, owner: 1, type: F_WRLCK, start: 0, end: 0, wait: true };
const range = { kind: RANGE, owner: 1, type: F_WRLCK, start: 0, end: 16, wait: true };
const record = (ino, index) => {
  const bytes = new Uint8Array(8);
  volume.read(ino, bytes, index * 8);
  return new Float64Array(bytes.buffer)[0];
};
const sum = (ino) => {
  volume.lock(ino, range);
  const both = record(ino, 0) + record(ino, 1);
  volume.lock(ino, { ...range, type: F_UNLCK });
  return both;
};
const jobs = {
  async attach({ cairn, ticket, deadlineMs }) {
    const { openVolume } = await import(cairn);
    const began = now();
    volume = await openVolume({ ticket, deadlineMs, cacheBytes: 0 });
    return now() - began;
  },
  hammer({ stop }) {
    const word = new Int32Array(stop);
    let count = 0;
    let longest = 0;
    let error = "";
    try {
      for (let last = now(); Atomics.load(word, 0) === 0; count++) {
        volume.getattr(volume.root);
        const at = now();
        longest = Math.max(longest, at - last);
        last = at;
      }
    } catch (thrown) {
      error = thrown.code;
    }
    return { count, longest, error, endedAt: now() };
  },
  hold({ ino }) {
    volume.lock(ino, whole);
    const made = volume.create(volume.root, "orphan", { mode: 0o100644, uid: 0, gid: 0 });
    volume.retain(made);
    volume.unlink(volume.root, "orphan");
    return made;
  },
  lock({ ino }) {
    volume.lock(ino, whole);
    return now();
  },
  move({ ino, seed }) {
    let state = seed;
    for (;;) {
      volume.lock(ino, range);
      const [first, second] = [record(ino, 0), record(ino, 1)];
      if (first + second !== 1000) throw new Error("the sum is " + first + " + " + second);
      state = Math.imul(state, 1103515245) + 12345 >>> 0;
      const amount = (state >>> 8) % 100 - 50;
      volume.write(ino, new Uint8Array(new Float64Array([first - amount, second + amount]).buffer), 0);
      volume.lock(ino, { ...range, type: F_UNLCK });
    }
  },
  sum: ({ ino }) => sum(ino),
  async leave() {
    await volume.close();
  },
};
onmessage = async ({ data }) => {
  try {
    postMessage({ value: await jobs[data.job](data) });
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
};`;

/** Kills clients while another never pauses, and returns how soon that was noticed, in ms. */
export async function killClients({ scene, client }: { scene: Scene; client: string }): Promise<{
  noticed: number[];
  attached: number[];
  orphans: number;
  hammered: { count: number; error: string };
}> {
  const { openVolume } = await import(scene.cairn) as Cairn;
  const volume = await openVolume({ name: scene.name, access: "relay", blocking: "spin" });
  const url = URL.createObjectURL(new Blob([client], { type: "text/javascript" }));
  const cairn = new URL(scene.cairn, location.href).href;
  const ask = <T>(worker: Worker, job: string, more: object = {}): Promise<T> =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) =>
        data.error ? reject(new Error(data.error)) : resolve(data.value);
      worker.postMessage({ job, ...more });
    });
  const attached: number[] = [];
  const start = async (): Promise<Worker> => {
    const worker = new Worker(url, { type: "module" });
    attached.push(await ask<number>(worker, "attach", { cairn, ticket: volume.share() }));
    return worker;
  };
  const soon = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const ino = await volume.promises.create(volume.root, "f", { mode: 0o100644, uid: 0, gid: 0 });
  const busy = await start();
  const stop = new SharedArrayBuffer(4);
  const hammering = ask<{ count: number; error: string }>(busy, "hammer", { stop });
  const noticed: number[] = [];
  for (let left = scene.kills ?? 5; left > 0; left--) {
    const [holder, waiter] = [await start(), await start()];
    await ask(holder, "hold", { ino });
    const locked = ask<number>(waiter, "lock", { ino });
    await soon(50);
    const killedAt = performance.timeOrigin + performance.now();
    holder.terminate();
    noticed.push(await locked - killedAt);
    await ask(waiter, "leave");
    waiter.terminate();
  }
  const { orphans } = await volume.stats();
  Atomics.store(new Int32Array(stop), 0, 1);
  const { count, error } = await hammering;
  await ask(busy, "leave");
  busy.terminate();
  await volume.close();
  return { noticed, attached, orphans: Number(orphans), hammered: { count, error } };
}

/** Kills the relay's thread under its clients, and opens the volume again. */
export async function killRelay({ scene, client }: { scene: Scene; client: string }): Promise<{
  error: string;
  waited: number;
  own: string;
  text: string;
}> {
  const { openVolume } = await import(scene.cairn) as Cairn;
  let killed: Worker | undefined;
  const NativeWorker = globalThis.Worker;
  globalThis.Worker = class extends NativeWorker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      killed = this;
    }
  };
  const options = { name: scene.name, access: "relay", blocking: "spin" } as const;
  const volume = await openVolume(options);
  globalThis.Worker = NativeWorker;
  const made = volume.create(volume.root, "kept", { mode: 0o100644, uid: 0, gid: 0 });
  volume.write(made, new Uint8Array([107, 101, 112, 116]), 0);
  volume.fsync(made);
  const url = URL.createObjectURL(new Blob([client], { type: "text/javascript" }));
  const worker = new NativeWorker(url, { type: "module" });
  const ask = <T>(job: string, more: object = {}): Promise<T> =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) =>
        data.error ? reject(new Error(data.error)) : resolve(data.value);
      worker.postMessage({ job, ...more });
    });
  const cairn = new URL(scene.cairn, location.href).href;
  await ask("attach", { cairn, ticket: volume.share() });
  const hammering = ask<{ error: string; endedAt: number }>("hammer", {
    stop: new SharedArrayBuffer(4),
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const killedAt = performance.timeOrigin + performance.now();
  killed!.terminate();
  const { error, endedAt } = await hammering;
  let own = "no error";
  try {
    volume.getattr(made);
  } catch (thrown) {
    own = (thrown as { code: string }).code;
  }
  const again = await openVolume(options);
  const into = new Uint8Array(9);
  const count = again.read(again.lookup(again.root, "kept"), into, 0);
  const text = String.fromCharCode(...into.subarray(0, count));
  await again.close();
  await volume.close().catch(() => {});
  worker.terminate();
  return { error, waited: endedAt - killedAt, own, text };
}

/** Movers on one file, ended by terminate() at random; every sum that was seen. */
export async function conserve(
  { scene, client }: { scene: Scene; client: string },
): Promise<number[]> {
  const { openVolume } = await import(scene.cairn) as Cairn;
  const volume = await openVolume({ name: scene.name, access: "relay", blocking: "spin" });
  const ino = await volume.promises.create(volume.root, "r", { mode: 0o100644, uid: 0, gid: 0 });
  const records = new Uint8Array(new Float64Array([1000, 0]).buffer);
  await volume.promises.write(ino, records, 0);
  const url = URL.createObjectURL(new Blob([client], { type: "text/javascript" }));
  const cairn = new URL(scene.cairn, location.href).href;
  let failure: Error | null = null;
  const ask = <T>(worker: Worker, job: string, more: object = {}): Promise<T> =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => {
        if (data.error) reject(failure = new Error(data.error));
        else resolve(data.value);
      };
      worker.postMessage({ job, ...more });
    });
  const start = async (): Promise<Worker> => {
    const worker = new Worker(url, { type: "module" });
    await ask(worker, "attach", { cairn, ticket: volume.share() });
    return worker;
  };
  const observer = await start();
  let seed = 1;
  const startMover = async (): Promise<Worker> => {
    const worker = await start();
    ask(worker, "move", { ino, seed: seed += 1 }).catch(() => {});
    return worker;
  };
  const movers = [await startMover(), await startMover(), await startMover()];
  const sums: number[] = [];
  for (let left = scene.kills ?? 20; left > 0 && failure === null; left--) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    movers.shift()!.terminate();
    sums.push(await ask<number>(observer, "sum", { ino }));
    movers.push(await startMover());
  }
  for (const worker of movers) worker.terminate();
  sums.push(await ask<number>(observer, "sum", { ino }));
  await ask(observer, "leave");
  observer.terminate();
  await volume.close();
  if (failure !== null) throw failure;
  return sums;
}

/** The program for the scenarios above. */
export const CLIENT_PROGRAM: string = CLIENT;
