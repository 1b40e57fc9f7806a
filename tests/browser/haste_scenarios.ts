/**
 * Opening in haste and dying in the midst of a call, as functions that stand alone: see
 * `volume_scenarios.ts`.
 *
 * @module
 */
import type { Scene } from "./volume_scenarios.ts";

type Cairn = typeof import("../../mod.ts");

/** What {@link openInHaste} saw. */
export interface Hasty {
  made: number;
  found: number;
  refusals: string[];
}

/** Opens a volume 50 times at once, and then ten times one after the other without a moment to wait. */
export async function openInHaste(scene: Scene): Promise<Hasty> {
  const { openVolume } = await import(scene.cairn) as Cairn;
  const { name } = scene;
  const options = { name, access: "relay", areaBytes: 65_536 } as const;
  const file = { mode: 0o100644, uid: 0, gid: 0 };
  const open = () => openVolume(options);
  const volumes = await Promise.all(Array.from({ length: 50 }, open));
  const inos = await Promise.all(
    volumes.map(({ promises, root }, index) => promises.create(root, `f${index}`, file)),
  );
  await Promise.all(volumes.map((volume) => volume.close()));
  const refusals: string[] = [];
  let found = 0;
  for (let round = 0; round < 10; round++) {
    try {
      const volume = await openVolume({ ...options, busyTimeoutMs: 0 });
      const { promises, root } = volume;
      for (let index = round; index < 50; index += 10) {
        if (await promises.lookup(root, `f${index}`) > 0) found++;
      }
      await volume.close();
    } catch (error) {
      refusals.push(String(error));
    }
  }
  return { made: new Set(inos).size, found, refusals };
}

/** What {@link dieInCalls} saw, by call: how the call and the closing after it ended, "late" if neither. */
export type Ends = Record<string, [call: string, closing: string]>;

/** Ends the relay's thread in the midst of each of some calls. */
export async function dieInCalls(scene: Scene): Promise<Ends> {
  const { openVolume } = await import(scene.cairn) as Cairn;
  type Opened = Awaited<ReturnType<typeof openVolume>>;
  const BYTES = 5_000_000;
  const calls: Record<string, (volume: Opened, ino: number) => Promise<unknown>> = {
    read: ({ promises }, ino) => promises.read(ino, new Uint8Array(BYTES), 0),
    write: ({ promises }, ino) => promises.write(ino, new Uint8Array(BYTES), 0),
    fsync: ({ promises }, ino) => promises.fsync(ino),
    stats: (volume) => volume.stats(),
    compact: (volume) => volume.compact(),
    exportImage: async (volume) => {
      const reader = volume.exportImage().getReader();
      while (!(await reader.read()).done) { /* A piece. */ }
    },
    close: (volume) => volume.close(),
  };
  const bounded = (answer: Promise<unknown>): Promise<string> =>
    Promise.race([
      answer.then(() => "ok", (error) => String((error as { code?: unknown }).code ?? error)),
      new Promise<string>((resolve) => setTimeout(() => resolve("late"), 8000)),
    ]);
  const ends: Ends = {};
  for (const [name, call] of Object.entries(calls)) {
    let thread: Worker | undefined;
    const worker = () => thread = new Worker("/dist/relay_worker.js", { type: "module" });
    const volume = await openVolume({ name: scene.name, access: "relay", worker });
    const { promises, root } = volume;
    const file = { mode: 0o100644, uid: 0, gid: 0 };
    const ino = await promises.lookup(root, "f") || await promises.create(root, "f", file);
    await promises.write(ino, new Uint8Array(BYTES).fill(7), 0);
    await promises.sync();
    const answer = bounded(Promise.resolve().then(() => call(volume, ino)));
    await Promise.resolve();
    thread!.terminate();
    ends[name] = [await answer, await bounded(volume.close())];
  }
  await (await openVolume({ name: scene.name, access: "relay" })).close();
  return ends;
}
