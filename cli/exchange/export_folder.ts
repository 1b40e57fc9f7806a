/**
 * Exporting to a folder of the host: a copy of the volume.
 *
 * Layer: cli, under `export.ts`, over `copy_tree.ts`. It is made beside its place and takes the name
 * last.
 *
 * @module
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { ErrnoError } from "../../mod.ts";
import type { TransferReport } from "../../opfs/mod.ts";
import { TreeCopy } from "../trees/copy_tree.ts";
import type { ExportTarget } from "./ends.ts";
import { HostTree } from "../trees/host_tree.ts";
import { makeTemporary } from "../shared/new_file.ts";
import type { Tally } from "../shared/steps.ts";
import { at } from "../shared/verb.ts";
import { VolumeTree } from "../trees/volume_tree.ts";

const OWN_FOLDER = 0o700;

/** A folder that is not there yet, or empty. */
export function toFolder(path: string): ExportTarget {
  const target = path.replace(/(?<=.)\/+$/, "");
  at(path, () => refuseExisting(target));
  const make = (folder: string): void => mkdirSync(folder, { mode: OWN_FOLDER });
  const temporary = at(path, () => makeTemporary(target, "new", make));
  let isKept = false;
  return {
    *steps(volume): Generator<Tally, TransferReport, void> {
      const from = new VolumeTree(volume);
      const copy = new TreeCopy({ from, to: new HostTree() });
      const entry = from.at(volume.root);
      yield* copy.run({ entry, directory: temporary, name: null, fromText: "", toText: path });
      return copy.report();
    },
    keep(): void {
      refuseExisting(target);
      renameSync(temporary, target);
      isKept = true;
    },
    discard(): void {
      if (!isKept) rmSync(temporary, { recursive: true, force: true });
    },
  };
}

function refuseExisting(target: string): void {
  const stat = statSync(target, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory()) throw new ErrnoError("EEXIST", "write it", { why: "there is a file" });
  if (readdirSync(target).length > 0) {
    throw new ErrnoError("ENOTEMPTY", "write it", { why: "there is something in the folder" });
  }
}
