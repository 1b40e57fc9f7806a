/**
 * How things are said: types, names that may hold anything, times, sizes, findings.
 *
 * Layer: cli, bottom.
 *
 * @module
 */
import { isBlkdev, isChrdev, isDir, isFIFO, isFile, isLink, isSocket } from "../../mod.ts";
import type { Finding, TransferReport } from "../../opfs/mod.ts";
import { EXIT_FOUND, EXIT_GOOD, type Terminal } from "./verb.ts";

/** The type of a mode, in a word. */
export function typeName(mode: number): string {
  if (isFile(mode)) return "file";
  if (isDir(mode)) return "dir";
  if (isLink(mode)) return "symlink";
  if (isFIFO(mode)) return "fifo";
  if (isSocket(mode)) return "socket";
  if (isChrdev(mode)) return "char";
  return isBlkdev(mode) ? "block" : "unknown";
}

/** A name that cannot move the cursor: control characters as escapes, and what begins these doubled. */
export function printable(name: string): string {
  return visible(name.replace(/\\/g, "\\\\"));
}

/** A line that cannot move the cursor: control characters as escapes. What is printable stays. */
export function visible(line: string): string {
  // deno-lint-ignore no-control-regex
  return line.replace(/[\x00-\x1f\x7f-\x9f]/g, (char) => {
    if (char === "\n") return "\\n";
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/** JSON that cannot move the cursor either: it leaves the controls above ASCII as they are. */
export function jsonText(
  value: unknown,
  replacer?: (key: string, value: unknown) => unknown,
): string {
  return JSON.stringify(value, replacer).replace(
    /[\x7f-\x9f]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A time as ISO writes it, to the second; what no calendar has, in ms. */
export function timeText(timeMs: number): string {
  const date = new Date(timeMs);
  if (Number.isNaN(date.getTime())) return `${timeMs} ms`;
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}

/** Bytes, with a unit that keeps the number short. */
export function sizeText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  let size = bytes;
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024;
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

/** `1 file`, `2 files`. */
export function count(number: number, thing: string): string {
  const many = thing.endsWith("y") ? `${thing.slice(0, -1)}ies` : `${thing}s`;
  return `${number} ${number === 1 ? thing : many}`;
}

/** A finding as one line. */
export function findingLine(finding: Finding): string {
  const { severity, code, message, path, slot } = finding;
  const where = path !== undefined
    ? `"${printable(path)}": `
    : slot !== undefined
    ? `slot ${slot}: `
    : "";
  return `${severity}: ${code}: ${where}${printable(message)}`;
}

/** Says what is to be known of a transfer, line by line. */
export function printFindings(terminal: Terminal, report: TransferReport): void {
  for (const finding of report.findings) terminal.say(findingLine(finding));
  if (report.droppedFindings > 0) {
    terminal.say(`note: ${count(report.droppedFindings, "more finding")}`);
  }
}

/** Says how a transfer ended, and returns the exit status that goes with it. */
export function printReport(terminal: Terminal, report: TransferReport, isJson: boolean): number {
  printFindings(terminal, report);
  if (isJson) terminal.print(`${jsonText(report)}\n`);
  else terminal.print(`${summaryOf(report)}\n`);
  return report.isComplete ? EXIT_GOOD : EXIT_FOUND;
}

function summaryOf(report: TransferReport): string {
  const parts = [
    count(report.files, "file"),
    count(report.directories, "directory"),
    count(report.symlinks, "symbolic link"),
    count(report.special, "special file"),
    count(report.hardLinks, "hard link"),
    count(report.bytes, "byte"),
  ];
  return parts.filter((part) => !part.startsWith("0 ")).join(", ") +
    (report.isComplete ? "" : "; not everything is as it was, see above");
}
