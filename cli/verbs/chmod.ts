/**
 * `cairn chmod`: permissions in a volume.
 *
 * Layer: cli, over `mode_words.ts`.
 *
 * @module
 */
import { isLink, type VolumeOps } from "../../mod.ts";
import { filesOf, type Found, inoAt, walk, withVolume } from "../shared/image.ts";
import { changedMode } from "../shared/mode_words.ts";
import { Attempts, type Call, type Verb } from "../shared/verb.ts";

/** The verb. */
export const chmodVerb: Verb = {
  name: "chmod",
  usage: "chmod [-R] IMAGE MODE PATH...",
  summary: "Changes permissions in a volume",
  help: `MODE is octal (644, 1777) or symbolic (u+x, go-w, a=rX, g=u; several with commas).
A link that is named is followed; those found by -R are left alone.

  -R, --recursive  directories with all that is in them

Examples:
  cairn chmod notes.cairn 600 /secret.txt
  cairn chmod -R notes.cairn go-w,a+rX /album
  cairn chmod notes.cairn -x /a.txt
`,
  options: { recursive: { type: "boolean", short: "R" } },
  words: [3, Infinity],
  spell: modesAreWords,
  run,
};

/** `-x` is a mode: what looks like one goes after the options, where it is a word. */
function modesAreWords(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  const front = end < 0 ? args : args.slice(0, end);
  const isOption = (arg: string): boolean => arg.startsWith("-") && !/^-[rwxXst]+/.test(arg);
  const behind = end < 0 ? [] : args.slice(end + 1);
  const words = front.filter((arg) => !isOption(arg));
  return [...front.filter(isOption), "--", ...words, ...behind];
}

function run(call: Call): number {
  const { words, options } = call;
  const attempts = new Attempts(call);
  const [image, mode, ...paths] = words as [string, string, ...string[]];
  changedMode(0, mode);
  withVolume(image, (volume) => {
    const files = filesOf(volume, { readOnly: false });
    for (const path of paths) {
      attempts.at(`${image}:${path}`, () => {
        const ino = inoAt(files, path, { follow: true });
        const maxDepth = options.recursive === true ? Infinity : 0;
        for (const found of walk(volume, { from: { path, ino }, maxDepth })) {
          change(volume, found, mode);
        }
      });
    }
  }, { readOnly: false });
  return attempts.status;
}

function change(volume: VolumeOps, { ino, attr }: Found, mode: string): void {
  if (isLink(attr.mode)) return;
  const bits = changedMode(attr.mode, mode);
  if (bits !== (attr.mode & 0o7777)) volume.setattr(ino, { mode: bits });
}
