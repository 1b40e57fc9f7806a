/**
 * `cairn version`: which Cairn this is.
 *
 * Layer: cli.
 *
 * @module
 */
import process from "node:process";
import { type Call, EXIT_GOOD, type Verb } from "../shared/verb.ts";

/** The package's version, as deno.json has it. */
export const VERSION = "0.1.0";
/** The version of the image format that is written: docs/FORMAT.md. */
const FORMAT_VERSION = 2;

/** The verb. */
export const versionVerb: Verb = {
  name: "version",
  usage: "version [--json]",
  summary: "Shows which Cairn this is, and on what it runs",
  help: `  --json  print it as one JSON object

Examples:
  cairn version
  cairn --version
`,
  options: { json: { type: "boolean" } },
  words: [0, 0],
  run,
};

function run({ options, terminal }: Call): number {
  const { deno, node } = process.versions as { deno?: string; node?: string };
  const runtime = deno === undefined ? `node ${node}` : `deno ${deno}`;
  const { platform, arch } = process;
  const facts = { version: VERSION, formatVersion: FORMAT_VERSION, runtime, platform, arch };
  terminal.print(
    options.json === true
      ? `${JSON.stringify(facts)}\n`
      : `cairn ${VERSION}, images of version ${FORMAT_VERSION}, on ${runtime}, ${platform} ${arch}\n`,
  );
  return EXIT_GOOD;
}
