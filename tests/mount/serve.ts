/**
 * The serving process of the mount suites: `cairn mount --foreground` and nothing else of the command
 * line. A process of its own, because a mount must not be touched from the process that serves it.
 */
import process from "node:process";
import { mountVerb } from "../../cli/verbs/mount.ts";
import { processTerminal } from "../../cli/shared/terminal.ts";
import { readWords } from "../../cli/shared/verb.ts";

const { values, words } = readWords(mountVerb, ["--foreground", ...Deno.args]);
const reportError = (error: unknown): void => console.error(error);
process.exitCode = await mountVerb.run({
  words,
  options: values,
  terminal: processTerminal(),
  reportError,
});
