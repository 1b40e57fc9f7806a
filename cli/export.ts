/**
 * `cairn export`: a volume becomes an image that `@componentor/fs` mounts.
 *
 * Layer: cli. The volume is only read; the image takes its name when it is whole.
 *
 * @module
 */
import { exportSteps, fileHandle, type TransferReport, type VolumeOps } from "../opfs/mod.ts";
import { withVolumeAtLength } from "./image.ts";
import { newFile } from "./new_file.ts";
import { interruptible, type Interrupts, takeSteps } from "./steps.ts";
import { at, atLength, type Call, numberOption, type Terminal, type Verb } from "./verb.ts";
import { tellReport } from "./words.ts";

/** The verb. */
export const exportVerb: Verb = {
  name: "export",
  usage: "export [--inodes N] [--force] [--json] IMAGE TARGET",
  summary: "Makes a version-1 image (@componentor/fs) of a volume",
  help: `IMAGE is only read. Version 1 has no holes, no FIFOs, sockets and devices: holes
become zeros, special files are seen by others as empty files; each is said.

  --inodes N  leave room for N more names (default a quarter, at least 1,024)
  --force     replace TARGET if it exists
  --json      print the report as JSON

Ends with 0 when everything is there as it was, 1 when something was changed or left
out, 2 when there is no image.

Examples:
  cairn export notes.cairn .vfs.bin
  cairn export --inodes 100k notes.cairn .vfs.bin
`,
  options: {
    inodes: { type: "string" },
    force: { type: "boolean" },
    json: { type: "boolean" },
  },
  words: [2, 2],
  run: (call) => interruptible((interrupts) => run(call, interrupts)),
};

async function run(call: Call, interrupts: Interrupts): Promise<number> {
  const [image, target] = call.words as [string, string];
  const { options, terminal } = call;
  const spareSlots = numberOption(call, "inodes");
  return await withVolumeAtLength(image, async (volume) => {
    const file = at(target, () => newFile(target, { force: options.force === true }));
    try {
      const report = await fill(file.path, volume, { spareSlots, target, terminal, interrupts });
      at(target, () => file.keep());
      return tellReport(terminal, report, options.json === true);
    } finally {
      file.discard();
    }
  });
}

interface Filling {
  spareSlots: number | undefined;
  target: string;
  terminal: Terminal;
  interrupts: Interrupts;
}

/** Writes the image at `path`. */
async function fill(path: string, volume: VolumeOps, options: Filling): Promise<TransferReport> {
  const { spareSlots, target, terminal, interrupts } = options;
  const handle = at(target, () => fileHandle(path));
  try {
    const steps = exportSteps(volume, handle, { spareSlots });
    const stepOptions = { terminal, label: "exporting", interrupts };
    return await atLength(target, () => takeSteps(steps, stepOptions));
  } finally {
    handle.close();
  }
}
