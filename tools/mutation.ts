/**
 * Where a source file can be broken by one small mistake, as a lint plugin (named in deno.json) that
 * reports nothing unless CAIRN_MUTATE is set. tools/mutants.ts sets it, reads the report and tries
 * each mistake.
 *
 * The mistakes are those that people make: a comparison with its border on the wrong side, a
 * condition the wrong way round, a call left out, a number off by one. A call of `invariant` is not
 * left out here: tests/invariants holds each of them already.
 *
 * @module
 */
import process from "node:process";

/** Set in the environment of the lint run that lists mistakes. */
export const MUTATING = "CAIRN_MUTATE";

/** One mistake: the text between two offsets is replaced. */
export interface Mutation {
  /** Offset of the first character that goes. */
  from: number;
  /** Offset after the last one. */
  to: number;
  /** What takes their place. */
  text: string;
}

/** Operators, and what they are mistaken for. */
const SWAPS: Readonly<Record<string, string>> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "===": "!==",
  "!==": "===",
  "+": "-",
  "-": "+",
  "*": "+",
  "/": "*",
  "%": "+",
  "&": "|",
  "|": "&",
  "<<": ">>",
  ">>": "<<",
  ">>>": "<<",
  "&&": "||",
  "||": "&&",
  "??": "&&",
  "+=": "-=",
  "-=": "+=",
  "++": "--",
  "--": "++",
};

type Binary =
  | Deno.lint.BinaryExpression
  | Deno.lint.LogicalExpression
  | Deno.lint.AssignmentExpression;

/** Lists the mistakes of a file. */
function create(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const source = context.sourceCode.text;
  function report(node: Deno.lint.Node, mutation: Mutation): void {
    context.report({ node, message: JSON.stringify(mutation) });
  }
  function binary(node: Binary): void {
    const text = SWAPS[node.operator];
    if (text === undefined) return;
    const from = source.indexOf(node.operator, node.left.range[1]);
    report(node, { from, to: from + node.operator.length, text });
  }
  function condition(node: Deno.lint.IfStatement | Deno.lint.ConditionalExpression): void {
    const [from, to] = node.test.range;
    report(node, { from, to, text: `!(${source.slice(from, to)})` });
  }
  return {
    BinaryExpression: binary,
    LogicalExpression: binary,
    AssignmentExpression: binary,
    IfStatement: condition,
    ConditionalExpression: condition,
    UpdateExpression(node) {
      const from = node.prefix ? node.range[0] : node.range[1] - 2;
      report(node, { from, to: from + 2, text: SWAPS[node.operator]! });
    },
    UnaryExpression(node) {
      if (node.operator !== "!") return;
      report(node, { from: node.range[0], to: node.range[0] + 1, text: "" });
    },
    ExpressionStatement(node) {
      if (!isCall(node.expression) || isInvariant(node.expression)) return;
      report(node, { from: node.range[0], to: node.range[1], text: ";" });
    },
    Literal(node) {
      const text = otherValue(node);
      if (text === null) return;
      report(node, { from: node.range[0], to: node.range[1], text });
    },
  };
}

function isCall(node: Deno.lint.Expression): boolean {
  return node.type === "CallExpression" ||
    node.type === "ChainExpression" && node.expression.type === "CallExpression";
}

function isInvariant(node: Deno.lint.Expression): boolean {
  return node.type === "CallExpression" && node.callee.type === "Identifier" &&
    node.callee.name === "invariant";
}

/** A number becomes the next one, a truth value the other one; null for the rest, and for types. */
function otherValue(node: Deno.lint.Literal): string | null {
  if (node.parent.type === "TSLiteralType") return null;
  const { value } = node;
  if (typeof value === "boolean") return String(!value);
  return typeof value === "number" ? String(value + 1) : null;
}

/** The plugin; `isListing` says whether it reports anything. */
export function makePlugin(isListing: () => boolean): Deno.lint.Plugin {
  const list = { create: (context: Deno.lint.RuleContext) => isListing() ? create(context) : {} };
  return { name: "mutation", rules: { list } };
}

const plugin: Deno.lint.Plugin = makePlugin(() => process.env[MUTATING] !== undefined);

export default plugin;

/** The mistakes that the JSON report of such a lint run lists, in the order of their places. */
export function readMutations(report: string): Mutation[] {
  const { diagnostics } = JSON.parse(report) as {
    diagnostics: { code: string; message: string }[];
  };
  return diagnostics.filter(({ code }) => code === "mutation/list")
    .map(({ message }): Mutation => JSON.parse(message))
    .sort((a, b) => a.from - b.from || a.to - b.to);
}

/** A text with one mistake in it. */
export function mutate(text: string, { from, to, text: put }: Mutation): string {
  return text.slice(0, from) + put + text.slice(to);
}

/** How a mistake is described: its line and column, and what was there and is now. */
export function describeMutation(text: string, mutation: Mutation): string {
  const line = text.slice(0, mutation.from).split("\n").length;
  const before = text.slice(mutation.from, mutation.to).replace(/\s+/g, " ");
  const begin = text.lastIndexOf("\n", mutation.from - 1) + 1;
  const column = mutation.from - begin + 1;
  const whole = text.slice(begin, text.indexOf("\n", mutation.from)).trim();
  return `${line}:${column}: \`${before}\` -> \`${mutation.text}\` in \`${whole}\``;
}
