/**
 * Importing a folder of the host: a copy of it becomes the volume.
 *
 * Layer: cli, under `import.ts`, over `copy_tree.ts`. The volume itself, which may be on its way in
 * that very folder, is left out.
 *
 * @module
 */
import { ErrnoError } from "../../mod.ts";
import type { TransferReport } from "../../opfs/mod.ts";
import { TreeCopy } from "../trees/copy_tree.ts";
import { HostTree } from "../trees/host_tree.ts";
import type { ImportSource, Target } from "./ends.ts";
import type { Tally } from "../shared/steps.ts";
import { VolumeTree } from "../trees/volume_tree.ts";

/** A folder; `except` are host files that are not taken along, nor are their locks. */
export function openFolder(
  path: string,
  { except }: { except: readonly string[] },
): ImportSource {
  const host = new HostTree();
  const root = path.endsWith("/") ? path : `${path}/`;
  return {
    *steps({ volume, clock }: Target): Generator<Tally, TransferReport, void> {
      const entry = host.at(root);
      if (entry === null) throw new ErrnoError("ENOENT", `import "${path}"`);
      // Only now: before, the volume had no file.
      const files = except.flatMap((file) => [file, `${file}.lock`]);
      const keys = new Set(files.map((file) => host.at(file)?.key));
      const copy = new TreeCopy({
        from: host,
        to: new VolumeTree(volume),
        leaveOut: (key) => keys.has(key) ? "left out: it is the volume that is being made" : null,
      });
      const job = { entry, directory: volume.root, name: null, fromText: path, toText: "" };
      clock.nowMs = Date.now();
      for (const tally of copy.run(job)) {
        yield tally;
        clock.nowMs = Date.now();
      }
      volume.sync();
      return copy.report();
    },
    close: () => {},
  };
}
