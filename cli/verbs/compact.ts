/**
 * `cairn compact`: moves what is in a volume to its front, and cuts the free end off.
 *
 * Layer: cli. A crash on the way loses nothing.
 *
 * @module
 */
import { withVolumeAtLength } from "../shared/image.ts";
import { interruptible, type Interrupts, takeSteps } from "../shared/steps.ts";
import { type Call, EXIT_GOOD, type Verb } from "../shared/verb.ts";
import { count, jsonText, sizeText } from "../shared/words.ts";

/** The verb. */
export const compactVerb: Verb = {
  name: "compact",
  usage: "compact [--json] IMAGE",
  summary: "Moves blocks to the front of a volume and cuts the free end off",
  help: `  --json  print what was done as one JSON object

Interrupted, it leaves a whole volume, only not as short.

Examples:
  cairn compact notes.cairn
`,
  options: { json: { type: "boolean" } },
  words: [1, 1],
  run: (call) => interruptible((interrupts) => run(call, interrupts)),
};

async function run(call: Call, interrupts: Interrupts): Promise<number> {
  const [image] = call.words as [string];
  const { terminal, options } = call;
  await withVolumeAtLength(image, async (volume) => {
    const steps = volume.compact();
    const stateLeft = "the volume is whole, only not as short";
    const report = await takeSteps(steps, { terminal, label: "compacting", interrupts, stateLeft });
    const { blockSize } = volume.stats();
    const { movedBlocks, cutBlocks } = report;
    if (options.json === true) terminal.print(`${jsonText(report)}\n`);
    else {
      const cut = sizeText(cutBlocks * blockSize);
      terminal.print(`${count(movedBlocks, "block")} moved, ${cut} cut off the end\n`);
    }
  }, { readOnly: false });
  return EXIT_GOOD;
}
