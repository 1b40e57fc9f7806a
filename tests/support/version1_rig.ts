/**
 * Imports and exports of version-1 images for tests: into the engine over memory, which is checked,
 * and what came out as plain objects.
 *
 * Layer: tests. Use: `const { tree, codes } = importBytes(image.build(), { repair: true })`.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { isDir, isFile, isLink } from "../../abi/mode.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import {
  Findings,
  runToEnd,
  TransferClock,
  type TransferReport,
} from "../../opfs/volume/upkeep/transfer.ts";
import { importSteps } from "../../opfs/volume/version1/import.ts";
import { readVersion1 } from "../../opfs/volume/version1/read.ts";
import { exportSteps } from "../../opfs/volume/version1/write.ts";
import type { Ino, VolumeOps } from "../../opfs/volume_ops.ts";

/** The time of everything that has none of its own. */
export const NOW_MS = 1_700_000_000_000;

/** What a tree shows of one name. */
export interface Shown {
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  times: [atime: number, mtime: number, ctime: number];
  /** Contents of a file in Latin letters, or a link's target. */
  contents: string;
  /** The first path of the same inode. */
  first: string;
}

/** Everything in a volume by path. Attributes are read before contents are. */
export function treeOf(volume: VolumeOps): Record<string, Shown> {
  const tree: Record<string, Shown> = {};
  const firsts = new Map<Ino, string>();
  const show = (ino: Ino, path: string): void => {
    const { mode, nlink, uid, gid, rdev, size, atime, mtime, ctime } = volume.getattr(ino);
    const first = firsts.get(ino) ?? path;
    firsts.set(ino, first);
    const contents = contentsOf(volume, ino, { mode, size });
    tree[path] = { mode, nlink, uid, gid, rdev, times: [atime, mtime, ctime], contents, first };
    if (!isDir(mode)) return;
    for (const name of namesIn(volume, ino).sort()) {
      show(volume.lookup(ino, name), path === "/" ? `/${name}` : `${path}/${name}`);
    }
  };
  show(volume.root, "/");
  return tree;
}

function namesIn(volume: VolumeOps, ino: Ino): string[] {
  const names: string[] = [];
  for (let after = 0;;) {
    const entries = volume.readdir(ino, after);
    if (entries.length === 0) return names;
    names.push(...entries.map((entry) => entry.name));
    after = entries.at(-1)!.cursor;
  }
}

function contentsOf(
  volume: VolumeOps,
  ino: Ino,
  { mode, size }: { mode: number; size: number },
): string {
  if (isLink(mode)) return volume.readlink(ino);
  if (!isFile(mode)) return "";
  const bytes = new Uint8Array(size);
  assertEquals(volume.read(ino, bytes, 0), size);
  return new TextDecoder("latin1").decode(bytes);
}

/** What an import gave. */
export interface Imported {
  report: TransferReport;
  /** Everything in the volume afterwards. */
  tree: Record<string, Shown>;
  /** Each finding as `severity code path`. */
  codes: string[];
}

/** Imports an image into a new volume; the volume is checked afterwards. */
export function importBytes(
  bytes: Uint8Array,
  { repair = false }: { repair?: boolean } = {},
): Imported {
  const image = readVersion1(memoryHandle(bytes), { repair });
  const clock = new TransferClock();
  const target = memoryHandle();
  const volume = openVolumeSync(target, { clock: clock.read });
  const report = runToEnd(importSteps(image, volume, { clock, nowMs: NOW_MS, repair }));
  volume.close();
  assertEquals(checkVolume(target).violations, []);
  const again = openVolumeSync(target, { readOnly: true });
  const tree = treeOf(again);
  again.close();
  return { report, tree, codes: codesOf(report.findings) };
}

/** Findings as `severity code path`. */
export function codesOf(findings: TransferReport["findings"]): string[] {
  return findings.map(({ severity, code, path }) => `${severity} ${code} ${path ?? "-"}`);
}

/** What a scan finds, whether it refuses the image or not. */
export function scanBytes(
  bytes: Uint8Array,
  { repair = false }: { repair?: boolean } = {},
): string[] {
  const findings = new Findings();
  try {
    readVersion1(memoryHandle(bytes), { repair, findings });
  } catch (error) {
    if ((error as Error).name !== "ErrnoError") throw error;
  }
  return codesOf(findings.list);
}

/** Exports a volume into memory. */
export function exportBytes(
  volume: VolumeOps,
): { report: TransferReport; bytes: Uint8Array<ArrayBuffer> } {
  const target = memoryHandle();
  const report = runToEnd(exportSteps(volume, target));
  return { report, bytes: target.toBytes() };
}
