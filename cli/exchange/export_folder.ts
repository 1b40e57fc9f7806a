/**
 * Exporting to a folder of the host: a copy of the volume.
 *
 * Layer: cli, under `export.ts`, over `copy_tree.ts`. A new folder is made beside its place and takes the
 * name last. An empty one that is there, which may be a mount point or where a shell stands, is filled:
 * the copy is made in a folder of its own in there, and its names move up last.
 *
 * @module
 */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { codeOfHost, ErrnoError } from "../../mod.ts";
import type { TransferReport } from "../../opfs/mod.ts";
import { TreeCopy } from "../trees/copy_tree.ts";
import type { ExportTarget } from "./ends.ts";
import { HostTree } from "../trees/host_tree.ts";
import { makeTemporary } from "../shared/new_file.ts";
import { freeName, lastName } from "../shared/place.ts";
import type { Tally } from "../shared/steps.ts";
import { at } from "../shared/verb.ts";
import { VolumeTree } from "../trees/volume_tree.ts";

const OWN_FOLDER = 0o700;

/** A folder that is not there yet, or empty. */
export function toFolder(path: string): ExportTarget {
  const target = path.replace(/(?<=.)\/+$/, "");
  return at(path, () => isThere(target) ? intoFolder(path, target) : asFolder(path, target));
}

/** Whether there is a folder, which is empty then. */
function isThere(target: string): boolean {
  const stat = statSync(target, { throwIfNoEntry: false });
  if (stat === undefined && lstatSync(target, { throwIfNoEntry: false }) === undefined) {
    return false;
  }
  if (stat?.isDirectory() !== true) {
    const why = stat === undefined ? "there is a link that leads nowhere" : "there is a file";
    throw new ErrnoError("EEXIST", "write it", { why });
  }
  requireNames(target, []);
  return true;
}

function requireNames(folder: string, known: readonly string[]): void {
  if (readdirSync(folder).every((name) => known.includes(name))) return;
  throw new ErrnoError("ENOTEMPTY", "write it", { why: "there is something in the folder" });
}

function asFolder(path: string, target: string): ExportTarget {
  const make = (folder: string): void => mkdirSync(folder, { mode: OWN_FOLDER });
  const temporary = makeTemporary(target, "new", make);
  let isKept = false;
  return {
    steps: (volume) => copySteps(volume, temporary, path),
    keep(): void {
      // One that has been made by now is another's.
      if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) {
        throw new ErrnoError("EEXIST", "write it", { why: "there is something by now" });
      }
      renameSync(temporary, target);
      isKept = true;
    },
    discard(): void {
      if (!isKept) removeTree(temporary);
    },
  };
}

function intoFolder(path: string, target: string): ExportTarget {
  // It may get another name on the way, or be the place that this process stands in.
  const folder = realpathSync(target);
  let temporary = `${folder}/${freeName((name) => isTaken(`${folder}/${name}`))}`;
  mkdirSync(temporary, { mode: OWN_FOLDER });
  const moved: string[] = [];
  let isKept = false;
  return {
    steps: (volume) => copySteps(volume, temporary, path),
    keep(): void {
      requireNames(folder, [lastName(temporary)]);
      temporary = withOtherName(temporary);
      const host = new HostTree();
      const { attr } = host.at(temporary)!;
      const xattrs = host.xattrs(temporary);
      // What the volume's root may not do must not stop what moves out of its copy.
      chmodSync(temporary, OWN_FOLDER);
      for (const name of readdirSync(temporary)) {
        moveUp(`${temporary}/${name}`, `${folder}/${name}`);
        moved.push(name);
      }
      rmdirSync(temporary);
      host.applyAttributes(folder, attr, xattrs);
      isKept = true;
    },
    discard(): void {
      if (isKept) return;
      removeTree(temporary);
      for (const name of moved) removeTree(`${folder}/${name}`);
    },
  };
}

function isTaken(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The volume may have a file of just that name. */
function withOtherName(temporary: string): string {
  const own = lastName(temporary);
  if (!isTaken(`${temporary}/${own}`)) return temporary;
  const parent = temporary.slice(0, -own.length);
  const other = parent + freeName((name) => name === own || isTaken(`${temporary}/${name}`));
  renameSync(temporary, other);
  return other;
}

/** A folder moves only if it may be written: its ".." changes. */
function moveUp(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    const { mode } = lstatSync(from);
    if (codeOfHost(error) !== "EACCES") throw error;
    chmodSync(from, OWN_FOLDER);
    renameSync(from, to);
    chmodSync(to, mode & 0o7777);
  }
}

/** Removes what was made, also where its folders may not be written. */
function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (codeOfHost(error) !== "EACCES") throw error;
    makeWritable(path);
    rmSync(path, { recursive: true, force: true });
  }
}

function makeWritable(top: string): void {
  for (const stack = [top]; stack.length > 0;) {
    const folder = stack.pop()!;
    if (!lstatSync(folder).isDirectory()) continue;
    chmodSync(folder, OWN_FOLDER);
    for (const name of readdirSync(folder)) stack.push(`${folder}/${name}`);
  }
}

function* copySteps(
  volume: Parameters<ExportTarget["steps"]>[0],
  directory: string,
  toText: string,
): Generator<Tally, TransferReport, void> {
  const from = new VolumeTree(volume);
  const copy = new TreeCopy({ from, to: new HostTree() });
  const entry = from.at(volume.root);
  yield* copy.run({ entry, directory, name: null, fromText: "", toText });
  return copy.report();
}
