/**
 * What the browser suites do with volumes, as functions that stand alone: each is sent as text to a
 * page or to a worker of it, in Chromium and in Firefox, and loads the built bundle there.
 *
 * Use: `await page.evaluate(keep, { cairn: "/dist/cairn.js", … })`, or through `inWorker`.
 */

import type { CallCount } from "./copies_page.ts";
import type { Tally } from "../conformance/attempt.ts";

type Cairn = typeof import("../../mod.ts");

/** What every scenario is given. */
export interface Scene {
  /** Address of the bundle. */
  cairn: string;
  /** The volume's name. */
  name: string;
  /** How it is opened. */
  access?: "auto" | "direct" | "relay";
  /** Whether a page may spin. */
  blocking?: "spin";
  /** What is written, or looked for. */
  text?: string;
  /** Every how many cases one is run. */
  stride?: number;
  /** Size of a channel's request area in bytes. */
  areaBytes?: number;
}

/**
 * Writes a small and a large file through FS, makes them durable, closes, and returns what it saw.
 */
export async function keep(scene: Scene): Promise<Record<string, unknown>> {
  const { createFS, openVolume, VOLUMEFS } = await import(scene.cairn) as Cairn;
  const { name, access, blocking, text = "" } = scene;
  const volume = await openVolume({ name, access, blocking, persist: true });
  const FS = createFS();
  FS.mkdir("/data");
  FS.mount(VOLUMEFS, { volume }, "/data");
  FS.mkdirTree("/data/ü/tiefer");
  FS.writeFile("/data/ü/tiefer/text", text);
  const large = new Uint8Array(3_000_000);
  for (let at = 0; at < large.length; at++) large[at] = at * 7 + (at >> 8);
  FS.writeFile("/data/large", large);
  const stream = FS.open("/data/ü/tiefer/text", "a");
  FS.write(stream, new Uint8Array([33]), 0, 1);
  FS.fsync(stream);
  FS.close(stream);
  const same = FS.readFile("/data/large").every((byte: number, at: number) => byte === large[at]);
  const { report, transport } = volume;
  const sizes = [FS.stat("/data/large").size, (await volume.promises.statfs()).blockSize];
  await volume.close();
  const { quotaBytes, usageBytes, persisted } = report;
  const reports = [typeof quotaBytes, typeof usageBytes, typeof persisted];
  return { transport, same, sizes, reports };
}

/** Opens again and reads what `keep` has written. */
export async function find(scene: Scene): Promise<Record<string, unknown>> {
  const { createFS, openVolume, VOLUMEFS } = await import(scene.cairn) as Cairn;
  const { name, access, blocking } = scene;
  const volume = await openVolume({ name, access, blocking });
  const FS = createFS();
  FS.mkdir("/data");
  FS.mount(VOLUMEFS, { volume }, "/data");
  const text = FS.readFile("/data/ü/tiefer/text", { encoding: "utf8" });
  const large = FS.readFile("/data/large");
  const same = large.every((byte: number, at: number) => byte === (at * 7 + (at >> 8) & 255));
  const found = { text, same, size: large.length, wasClean: volume.report.wasClean };
  await volume.close();
  return found;
}

/** The error of an opening that must fail. */
export async function refuse(scene: Scene): Promise<string> {
  const { openVolume } = await import(scene.cairn) as Cairn;
  const { name, access, blocking } = scene;
  try {
    await (await openVolume({ name, access, blocking, busyTimeoutMs: 200 })).close();
    return "no error";
  } catch (error) {
    return (error as Error).message;
  }
}

/** What the report says: first as it is, then asking to persist, then with 3 MB more. */
export async function tellReport(scene: Scene): Promise<Record<string, unknown>> {
  const { openVolume } = await import(scene.cairn) as Cairn;
  const { name, blocking } = scene;
  const { storage } = navigator as unknown as { storage: { persist(): Promise<boolean> } };
  const persist = storage.persist.bind(storage);
  const asked: boolean[] = [];
  storage.persist = async () => {
    asked.push(await persist());
    return asked.at(-1)!;
  };
  const plain = await openVolume({ name, blocking });
  const { usageBytes } = plain.report;
  const unasked = asked.length;
  await plain.close();
  const asking = await openVolume({ name, blocking, persist: true });
  const file = { mode: 0o100644, uid: 0, gid: 0 };
  const ino = asking.create(asking.root, "large", file);
  asking.write(ino, new Uint8Array(3_000_000).fill(5), 0);
  await asking.close();
  const full = await openVolume({ name, blocking });
  await full.close();
  const { quotaBytes } = full.report;
  return {
    unasked,
    asked,
    persisted: [asking.report.persisted, full.report.persisted],
    hasQuota: quotaBytes! > 10_000_000 && quotaBytes! > full.report.usageBytes!,
    // A little less than was written: while it was empty, some room was kept for what comes.
    grows: full.report.usageBytes! - usageBytes! >= 2_500_000,
  };
}

/** On a page that may not spin: synchronous calls say so, promises work. */
export async function promise(scene: Scene): Promise<Record<string, unknown>> {
  const { openVolume } = await import(scene.cairn) as Cairn;
  const volume = await openVolume({ name: scene.name, access: "relay" });
  const { promises, root } = volume;
  const ino = await promises.create(root, "promised", { mode: 0o100644, uid: 0, gid: 0 });
  const bytes = new Uint8Array(2_500_000).fill(7);
  const written = await promises.write(ino, bytes, 0);
  const into = new Uint8Array(bytes.length);
  const read = await promises.read(ino, into, 0);
  let message = "";
  try {
    volume.getattr(ino);
  } catch (error) {
    message = (error as Error).message;
  }
  const isThere = into.every((byte) => byte === 7);
  await volume.close();
  return { written, read, isThere, message };
}

/** Several workers on tickets of one relay, and the page itself; each checks its own files. */
export async function share(scene: Scene): Promise<string[]> {
  const { openVolume } = await import(scene.cairn) as Cairn;
  const { name, blocking } = scene;
  const volume = await openVolume({ name, access: "relay", blocking });
  const program = `onmessage = async ({ data: { cairn, ticket, mark } }) => {
    const { openVolume } = await import(cairn);
    const volume = await openVolume(ticket);
    const options = { mode: 0o100644, uid: 0, gid: 0 };
    let wrong = 0;
    for (let round = 0; round < 300; round++) {
      const name = mark + "-" + round % 10;
      const ino = volume.lookup(volume.root, name) || volume.create(volume.root, name, options);
      const bytes = new Uint8Array(100).fill(mark * 40 + round);
      volume.write(ino, bytes, 0);
      const into = new Uint8Array(100);
      const count = volume.read(ino, into, 0);
      if (count !== 100 || into.some((byte) => byte !== bytes[0])) wrong += 1;
      if (round % 3 === 0) volume.unlink(volume.root, name);
    }
    const { transport } = volume;
    await volume.close();
    postMessage(mark + " " + transport + " " + wrong);
  };`;
  const url = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
  const answers = [1, 2, 3].map((mark) =>
    new Promise<string>((resolve, reject) => {
      const worker = new Worker(url, { type: "module" });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage({ cairn: scene.cairn, ticket: volume.share(), mark });
    })
  );
  let own = 0;
  for (let round = 0; round < 100; round++) {
    const ino = volume.create(volume.root, `own ${round}`, { mode: 0o100644, uid: 0, gid: 0 });
    volume.write(ino, new Uint8Array(10).fill(round), 0);
    const into = new Uint8Array(10);
    if (volume.read(ino, into, 0) !== 10 || into[9] !== round) own += 1;
  }
  const said = await Promise.all(answers);
  await volume.close();
  return [...said, `page ${own}`];
}

/**
 * Ends the relay's thread in the middle of things, as a crash would. The caller's thread stays busy
 * at the same time, so that no message can report it; or it sleeps, if the text says so.
 */
export async function lose(scene: Scene): Promise<Record<string, unknown>> {
  const { openVolume } = await import(scene.cairn) as Cairn;
  let killed: Worker | undefined;
  const NativeWorker = globalThis.Worker;
  globalThis.Worker = class extends NativeWorker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      killed = this;
    }
  };
  const { name, blocking } = scene;
  const volume = await openVolume({ name, access: "relay", blocking, deadlineMs: 500 });
  globalThis.Worker = NativeWorker;
  const ino = volume.create(volume.root, "kept", { mode: 0o100644, uid: 0, gid: 0 });
  volume.write(ino, new Uint8Array([1, 2, 3]), 0);
  volume.fsync(ino);
  killed?.terminate();
  const until = performance.now() + 300;
  if (scene.text === "asleep") await new Promise((resolve) => setTimeout(resolve, 1000));
  else while (performance.now() < until);
  const before = performance.now();
  let message = "";
  try {
    volume.getattr(ino);
  } catch (error) {
    message = (error as Error).message;
  }
  const waited = performance.now() - before;
  const again = await openVolume({ name: `${name}`, access: "direct" }).catch((error) => error);
  return { message, isBounded: waited < 3000, again: String(again.message ?? again.transport) };
}

/** The conformance suite over volumes of its own; what came of the cases. */
export async function conform({ cairn, access, blocking, stride }: Scene): Promise<Tally> {
  const bundle = new URL("conformance_page.js", new URL(cairn, location.href));
  const worker = new URL("volume_relay_worker.js", bundle).href;
  const { conform } = await import(bundle.href) as typeof import("./conformance_page.ts");
  return await conform({
    access: access === "direct" ? access : "relay",
    blocking,
    stride,
    worker,
  });
}

/** Copies of a payload, through the relay and through the engine alone. */
export async function countCopies({ cairn, areaBytes = 0 }: Scene): Promise<CallCount[]> {
  const bundle = new URL("copies_page.js", new URL(cairn, location.href));
  const worker = new URL("volume_relay_worker.js", bundle).href;
  const { countCopies } = await import(bundle.href) as typeof import("./copies_page.ts");
  return await countCopies({ worker, sizes: [4096, 1_048_576], areaBytes });
}

interface Directory {
  getFileHandle(name: string, options?: { create: boolean }): Promise<{
    getFile(): Promise<Blob>;
    createWritable(): Promise<{ write(bytes: Uint8Array): Promise<void>; close(): Promise<void> }>;
  }>;
}

interface Storage {
  storage: { getDirectory(): Promise<Directory> };
}

/** The image's bytes, as text. */
export async function exportImage({ name }: Scene): Promise<string> {
  const root = await (navigator as unknown as Storage).storage.getDirectory();
  const file = await (await root.getFileHandle(`${name}.cairn`)).getFile();
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 30_000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 30_000));
  }
  return btoa(text);
}

/** Puts an image's bytes there. */
export async function importImage({ name, text = "" }: Scene): Promise<void> {
  const root = await (navigator as unknown as Storage).storage.getDirectory();
  const handle = await root.getFileHandle(`${name}.cairn`, { create: true });
  const stream = await handle.createWritable();
  await stream.write(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  await stream.close();
}

/** Runs in a page: runs a scenario, given as text, in a worker. */
export function inWorker({ source, scene }: { source: string; scene: Scene }): Promise<unknown> {
  const program = `onmessage = async ({ data }) => {
    try {
      postMessage({ value: await (${source})(data) });
    } catch (error) {
      postMessage({ error: error + "\\n" + error?.stack });
    }
  };`;
  const url = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
  return new Promise((resolve, reject) => {
    const worker = new Worker(url, { type: "module" });
    worker.onmessage = ({ data }) => {
      worker.terminate();
      if (data.error) reject(new Error(data.error));
      else resolve(data.value);
    };
    worker.onerror = (event) => reject(new Error(event.message || "the worker failed"));
    worker.postMessage({ ...scene, cairn: new URL(scene.cairn, location.href).href });
  });
}
