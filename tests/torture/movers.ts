/**
 * Movers: clients that move amounts between two records of one file under an fcntl lock. Whatever
 * happens to them, the sum holds.
 *
 * The records are read one after the other and written with one call, so that without the lock, or
 * with a lock that outlives its holder's death or dies before it, the sum would not hold.
 */
import { F_RDLCK, F_UNLCK, F_WRLCK } from "../../abi/flags.ts";
import { type Ino, LockKind, type LockRequest, type VolumeOps } from "../../opfs/volume_ops.ts";
import type { Random } from "../support/random.ts";

/** What both records hold together. */
export const SUM = 1000;

const RANGE: LockRequest = {
  kind: LockKind.RANGE,
  owner: 1,
  type: F_WRLCK,
  start: 0,
  end: 16,
  wait: true,
};

/** Makes the file. */
export function makeRecords(volume: VolumeOps): Ino {
  const ino = volume.create(volume.root, "records", { mode: 0o100644, uid: 0, gid: 0 });
  volume.write(ino, new Uint8Array(new Float64Array([SUM, 0]).buffer), 0);
  return ino;
}

/** The sum of both records, under a shared lock. */
export function sumOf(volume: VolumeOps, ino: Ino): number {
  volume.lock!(ino, { ...RANGE, type: F_RDLCK });
  const sum = readRecord(volume, ino, 0) + readRecord(volume, ino, 1);
  volume.lock!(ino, { ...RANGE, type: F_UNLCK });
  return sum;
}

/** Moves once; says when it saw a sum that did not hold. */
export function move(volume: VolumeOps, ino: Ino, random: Random): void {
  volume.lock!(ino, RANGE);
  const first = readRecord(volume, ino, 0);
  const second = readRecord(volume, ino, 1);
  if (first + second !== SUM) throw new Error(`the sum is ${first} + ${second}`);
  const amount = random.below(100) - 50;
  const after = new Float64Array([first - amount, second + amount]);
  volume.write(ino, new Uint8Array(after.buffer), 0);
  volume.lock!(ino, { ...RANGE, type: F_UNLCK });
}

function readRecord(volume: VolumeOps, ino: Ino, index: number): number {
  const bytes = new Uint8Array(8);
  volume.read(ino, bytes, index * 8);
  return new Float64Array(bytes.buffer)[0]!;
}
