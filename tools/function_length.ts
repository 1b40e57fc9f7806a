/**
 * The length ratchet: no file over 500 lines, no function over 70. As a lint plugin (named in
 * deno.json) it fails the lint; run as a program it prints median and 97th percentile of the named
 * functions, so that a slow drift shows before the limit does.
 *
 * @module
 */
import process from "node:process";
import { hostCommand } from "./programs.ts";
import { isGenerated, ROOT } from "./project.ts";

/** No file is longer than this. */
export const MAX_FILE_LINES = 500;
/** No function is longer than this. */
export const MAX_FUNCTION_LINES = 70;
/** Set in the environment of the lint run that measures. */
const MEASURING = "CAIRN_MEASURE";

type FunctionNode =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression;

/** Lines that a text fills; a newline at the end does not begin another one. */
export function countLines(text: string): number {
  if (text === "") return 0;
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

/** The value below which `share` of the numbers lie (nearest rank). */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function isExempt(context: Deno.lint.RuleContext): boolean {
  return isGenerated(context.filename.replace(ROOT, ""));
}

function linesOf(context: Deno.lint.RuleContext, node: Deno.lint.Node): number {
  return countLines(context.sourceCode.text.slice(node.range[0], node.range[1]));
}

function createFile(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  if (isExempt(context)) return {};
  return {
    Program(node) {
      const lines = countLines(context.sourceCode.text);
      if (lines <= MAX_FILE_LINES) return;
      context.report({ node, message: `${lines} lines in a file, ${MAX_FILE_LINES} at most` });
    },
  };
}

function createFunction(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  if (isExempt(context)) return {};
  function look(node: FunctionNode): void {
    const lines = linesOf(context, node);
    if (lines <= MAX_FUNCTION_LINES) return;
    context.report({
      node,
      message: `${lines} lines in a function, ${MAX_FUNCTION_LINES} at most`,
    });
  }
  return { FunctionDeclaration: look, FunctionExpression: look, ArrowFunctionExpression: look };
}

/** Reports every named function with its length, when `main` below runs the linter. */
function createMeasure(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  if (isExempt(context) || process.env[MEASURING] === undefined) return {};
  function look(node: Deno.lint.FunctionDeclaration | Deno.lint.MethodDefinition): void {
    context.report({ node, message: String(linesOf(context, node)) });
  }
  return { FunctionDeclaration: look, MethodDefinition: look };
}

const plugin: Deno.lint.Plugin = {
  name: "length",
  rules: {
    file: { create: createFile },
    function: { create: createFunction },
    measure: { create: createMeasure },
  },
};

export default plugin;

/** What the JSON report of a measuring lint run says. */
export interface Measures {
  /** Lines of each named function. */
  lengths: number[];
  /** Files and functions that are over a limit. */
  violations: number;
}

/** Reads such a report, in which other rules may have found other things. */
export function readMeasures(report: string): Measures {
  const { diagnostics } = JSON.parse(report) as {
    diagnostics: { code: string; message: string }[];
  };
  const measured = diagnostics.filter(({ code }) => code === "length/measure");
  const over = diagnostics.filter(({ code }) => /^length\/(file|function)$/.test(code));
  return { lengths: measured.map(({ message }) => Number(message)), violations: over.length };
}

function main(): void {
  const { stdout, stderr } = hostCommand(Deno.execPath(), {
    args: ["lint", "--json"],
    cwd: ROOT,
    env: { [MEASURING]: "1" },
  }).outputSync();
  const decoder = new TextDecoder();
  const report = decoder.decode(stdout);
  if (!report.startsWith("{")) throw new Error(`cannot measure: ${decoder.decode(stderr)}`);
  const { lengths, violations } = readMeasures(report);
  const [median, p97, longest] = [0.5, 0.97, 1].map((share) => percentile(lengths, share));
  console.log(
    `${lengths.length} named functions: median ${median} lines, p97 ${p97}, longest ${longest}`,
  );
  if (violations > 0) throw new Error(`${violations} files or functions are too long`);
}

if (import.meta.main) main();
