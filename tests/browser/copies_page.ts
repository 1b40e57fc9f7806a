/**
 * Counts the copies of a payload on its way through the relay and the real engine to a file of the
 * browser, and through the engine alone: bundled into dist/, loaded by a worker of a page.
 *
 * Use: `const { countCopies } = await import("/dist/copies_page.js")`.
 */
import type { VolumeOps } from "../../opfs/volume_ops.ts";
import { openOpfsHandle } from "../../opfs/device/opfs.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { countMemory, type MemoryCount } from "../support/count_memory.ts";
import { RelayedVolume } from "../support/relayed_volume.ts";

/** What was done in each thread during one call. */
export interface CallCount {
  /** "write" or "read". */
  call: string;
  /** Bytes of payload. */
  sizeBytes: number;
  /** The caller's thread, through the relay. */
  client: MemoryCount;
  /** The relay's thread, in which the engine is. */
  relay: MemoryCount;
  /** The engine's thread, when it is called there. */
  engine: MemoryCount;
}

type Count = Omit<CallCount, "engine">;
type Counting = (work: () => void) => Promise<Pick<CallCount, "client" | "relay">>;

/** What is counted. */
export interface CopiesOptions {
  /** Address of the worker's program. */
  worker: string;
  /** Payloads, in bytes. */
  sizes: number[];
  /** Size of the relay's request area in bytes. */
  areaBytes: number;
}

/** Writes and reads of so many bytes. */
export async function countCopies(options: CopiesOptions): Promise<CallCount[]> {
  const { worker, sizes, areaBytes } = options;
  const path = "/copies.cairn";
  const place = { path, worker, areaBytes, limitBytes: 0 };
  const relayed = await RelayedVolume.open({ ...place, clock: () => 0 });
  const counting: Counting = async (work) => {
    const { ours, theirs } = await relayed.counting(work);
    return { client: ours, relay: theirs };
  };
  const counts = await countCalls(relayed.client, sizes, counting);
  await relayed.close();
  RelayedVolume.dispose();
  const device = await openOpfsHandle(path);
  device.truncate(0);
  const volume = openVolumeSync(device);
  const alone = await countCalls(volume, sizes, (work) => {
    const counting = countMemory();
    work();
    const count = counting.stop();
    return Promise.resolve({ client: count, relay: count });
  });
  volume.close();
  return counts.map((count, index) => ({ ...count, engine: alone[index]!.client }));
}

/** Each call is done twice before it is counted, so that nothing is new. */
async function countCalls(
  volume: VolumeOps,
  sizes: number[],
  counting: Counting,
): Promise<Count[]> {
  const counts: Count[] = [];
  for (const sizeBytes of sizes) {
    const file = { mode: 0o100644, uid: 0, gid: 0 };
    const ino = volume.create(volume.root, `${sizeBytes}`, file);
    const from = Uint8Array.from({ length: sizeBytes }, (_, at) => at * 7 + (at >> 8));
    const into = new Uint8Array(sizeBytes);
    const calls: [string, () => void][] = [
      ["write", () => volume.write(ino, from, 0)],
      ["read", () => volume.read(ino, into, 0)],
    ];
    for (const [call, run] of calls) {
      for (let round = 0; round < 2; round++) {
        run();
        volume.sync();
      }
      counts.push({ call, sizeBytes, ...await counting(run) });
    }
    if (into.some((byte, at) => byte !== from[at])) throw new Error("other bytes were read");
  }
  return counts;
}
