/**
 * A volume that fills its origin's quota, as a function that stands alone: see `volume_scenarios.ts`.
 *
 * @module
 */
import type { Scene } from "./volume_scenarios.ts";

type Cairn = typeof import("../../mod.ts");

/** What {@link fillQuota} saw. */
export interface Filled {
  transport: string;
  /** Codes of what refused the large writes and the small files. */
  refused: string[];
  sync: string;
  /** Bytes that were written before it was full, and statfs's free bytes before and then. */
  filledBytes: number;
  freeBytesBefore: number;
  freeBytesFull: number;
  /** Whether an append's count was what the file got. */
  isAppendTrue: boolean;
  state: unknown;
}

/** Fills a volume up to the quota, in large pieces, by an append and by small files. */
export async function fillQuota(scene: Scene): Promise<Filled> {
  const { openVolume } = await import(scene.cairn) as Cairn;
  const { name, access, blocking } = scene;
  const volume = await openVolume({ name, access, blocking });
  const make = (path: string): number =>
    volume.create(volume.root, path, { mode: 0o100644, uid: 0, gid: 0 });
  const code = (act: () => unknown): string => {
    try {
      act();
      return "ok";
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  };
  const freeBytes = (): number => volume.statfs().freeBlocks * volume.statfs().blockSize;
  volume.write(make("kept"), Uint8Array.from({ length: 500_000 }, (_, at) => at % 251), 0);
  volume.sync();
  const freeBytesBefore = freeBytes();

  const refused = new Set<string>();
  const large = make("large");
  const piece = new Uint8Array(256 * 1024).fill(1);
  let filledBytes = 0;
  for (let count = piece.length; count === piece.length && filledBytes < 1e9;) {
    refused.add(code(() => count = volume.write(large, piece, filledBytes)));
    if (refused.has("ENOSPC")) break;
    filledBytes += count;
  }
  const log = make("log");
  const appended = { at: 0, count: 0 };
  code(() => Object.assign(appended, volume.append(log, new Uint8Array(3_000_000).fill(2))));
  const isAppendTrue = volume.getattr(log).size === appended.count;
  for (let index = 0, last = "ok"; index < 5000 && last === "ok"; index++) {
    last = code(() => volume.write(make(`small${index}`), piece.subarray(0, 3000), 0));
    refused.add(last);
  }
  const sync = code(() => volume.sync());
  // The browser says how much there is in its own time.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const freeBytesFull = freeBytes();
  const { state } = await volume.stats();
  const { transport } = volume;
  await volume.close();
  return {
    transport,
    refused: [...refused].sort(),
    sync,
    filledBytes,
    freeBytesBefore,
    freeBytesFull,
    isAppendTrue,
    state,
  };
}

/** What {@link goOn} saw. */
export interface WentOn {
  isKept: boolean;
  /** Bytes that could be written once something was removed. */
  writtenBytes: number;
  state: unknown;
  violations: number;
}

/** Opens the full volume, makes room, writes, and checks an image of it. */
export async function goOn(scene: Scene): Promise<WentOn> {
  const { checkVolume, memoryHandle, openVolume } = await import(scene.cairn) as Cairn;
  const { name, access, blocking } = scene;
  const volume = await openVolume({ name, access, blocking });
  const bytes = new Uint8Array(500_000);
  const count = volume.read(volume.lookup(volume.root, "kept"), bytes, 0);
  const isKept = count === bytes.length && bytes.every((byte, at) => byte === at % 251);
  volume.unlink(volume.root, "large");
  volume.sync();
  const again = volume.create(volume.root, "again", { mode: 0o100644, uid: 0, gid: 0 });
  const writtenBytes = volume.write(again, new Uint8Array(1_000_000).fill(3), 0);
  volume.sync();
  const image = await new Response(volume.exportImage()).bytes();
  const { violations } = checkVolume(memoryHandle(image));
  const { state } = await volume.stats();
  await volume.close();
  return { isKept, writtenBytes, state, violations: violations.length };
}
