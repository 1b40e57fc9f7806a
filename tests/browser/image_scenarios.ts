/**
 * Images in a browser, as functions that stand alone: see `volume_scenarios.ts`.
 *
 * @module
 */
import type { Scene } from "./volume_scenarios.ts";

type Cairn = typeof import("../../mod.ts");

/** What {@link backUp} saw. */
export interface BackedUp {
  clean: boolean;
  files: number;
  pieces: number;
  refusal: string;
  isOld: boolean;
  isNew: boolean;
}

/**
 * Exports a volume while it is written over, imports the image under another name, tries it a second
 * time without and with `replace`, and returns what the copy holds.
 */
export async function backUp(scene: Scene): Promise<BackedUp> {
  const { importVolume, openVolume } = await import(scene.cairn) as Cairn;
  const { name, access, blocking } = scene;
  const volume = await openVolume({ name, access, blocking });
  const { promises, root } = volume;
  const ino = await promises.create(root, "file", { mode: 0o100644, uid: 0, gid: 0 });
  await promises.write(ino, new Uint8Array(2_000_000).fill(1), 0);
  const backup = `${name} backup`;
  let pieces = 0;
  const onProgress = (): void => {
    pieces++;
    void promises.write(ino, new Uint8Array(300_000).fill(2), 1_700_000);
  };
  const image = volume.exportImage();
  await promises.sync();
  const { clean, files } = await importVolume(image, { name: backup, onProgress });
  const second = importVolume(volume.exportImage(), { name: backup });
  const refusal = await second.then(() => "none", (error) => (error as Error).message);
  const copy = await openVolume({ name: backup, create: false, access, blocking });
  const into = new Uint8Array(2_000_000);
  await copy.promises.read(await copy.promises.lookup(copy.root, "file"), into, 0);
  await copy.close();
  const isOld = into.every((byte) => byte === 1);
  await promises.sync();
  await importVolume(volume.exportImage(), { name: backup, replace: true });
  const again = await openVolume({ name: backup, create: false, access, blocking });
  await again.promises.read(await again.promises.lookup(again.root, "file"), into, 0);
  const isNew = into[1_999_999] === 2;
  await again.close();
  await volume.close();
  return { clean, files, pieces, refusal: refusal.slice(0, 6), isOld, isNew };
}

/** What is used of the browser's storage. */
interface Folder {
  getFileHandle(
    name: string,
    options: { create: true },
  ): Promise<{ createWritable(): Promise<WritableStream<BufferSource>> }>;
  keys(): AsyncIterable<string>;
}

/** What {@link upgradeOlder} saw. */
export interface Upgraded {
  text: string;
  isComplete: boolean;
  again: string;
  busy: string;
  left: string[];
}

/** Puts a volume of an older format into the browser's storage, upgrades it twice, and reads it. */
export async function upgradeOlder(scene: Scene): Promise<Upgraded> {
  const { openVolume, upgradeVolume } = await import(scene.cairn) as Cairn;
  const { name, access, blocking } = scene;
  const here = globalThis as unknown as {
    origin: string;
    navigator: { storage: { getDirectory(): Promise<Folder> } };
  };
  const { body } = await fetch(`${here.origin}/tests/golden/older_closed.cairn.gz`);
  const image = body!.pipeThrough(new DecompressionStream("gzip"));
  const root = await here.navigator.storage.getDirectory();
  const file = await root.getFileHandle(`${name}.cairn`, { create: true });
  await image.pipeTo(await file.createWritable());
  const report = await upgradeVolume(name);
  // As a page leaves it that ends in the middle of an upgrade: the next opener clears it away.
  const unfinished = await root.getFileHandle(`${name}.cairn.new`, { create: true });
  await new Blob([new Uint8Array(100_000)]).stream().pipeTo(await unfinished.createWritable());
  const volume = await openVolume({ name, create: false, access, blocking });
  const busy = await upgradeVolume(name, { busyTimeoutMs: 50 })
    .then(() => "none", (error) => (error as Error).message);
  const into = new Uint8Array(64);
  const ino = await volume.promises.lookup(volume.root, "hello.txt");
  const count = await volume.promises.read(ino, into, 0);
  await volume.close();
  const again = await upgradeVolume(name);
  const left: string[] = [];
  for await (const key of root.keys()) {
    if (key.startsWith(name)) left.push(key);
  }
  const text = new TextDecoder().decode(into.subarray(0, count));
  return {
    text,
    isComplete: report?.isComplete ?? false,
    again: String(again),
    busy: busy.slice(0, 5),
    left,
  };
}
