/**
 * The rule that programs are started in one place, as a Deno lint plugin (named in deno.json): in tests,
 * benches and tools nothing but tools/programs.ts may say `Deno.Command` or load node:child_process, and
 * no text may name a program of the system by its path. Why: see tools/programs.ts.
 *
 * @module
 */
import { ROOT } from "./project.ts";

/** Where the rule holds. What is published starts what its own docs say. */
const FOLDERS: readonly string[] = ["tests/", "bench/", "tools/", "playwright.config.ts"];

/** What may start programs by itself, and why. */
export const EXEMPT: Readonly<Record<string, string>> = {
  "tools/programs.ts": "it is the place",
  "tools/needs.ts": "below it; asks clang, which has a row",
  "tools/setup.ts": "below it; runs Debian's installer",
  "tools/test.ts": "starts this Deno alone, with files for its output",
};

const HINT = "Use hostCommand() of tools/programs.ts, and give the program a row in tools/needs.ts";
const MODULE = /^(node:)?child_process$/;
const SYSTEM_PATH = /(^|[\s"'`=(|;&])\/(usr\/(local\/)?)?s?bin\/\w/;

/** Whether the rule speaks about a file; paths are relative to the checkout. */
export function isBound(path: string): boolean {
  return !(path in EXEMPT) && FOLDERS.some((folder) => path.startsWith(folder));
}

function create(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const path = context.filename.replaceAll("\\", "/").replace(ROOT.replaceAll("\\", "/"), "");
  if (!isBound(path)) return {};
  const report = (node: Deno.lint.Node, message: string): void =>
    context.report({ node, message, hint: HINT });
  function look(source: Deno.lint.Node): void {
    if (MODULE.test(textOf(source))) report(source, "starts programs by another module");
  }
  function lookAtText(node: Deno.lint.Node): void {
    if (SYSTEM_PATH.test(textOf(node))) report(node, "names a program by its path");
  }
  return {
    ImportDeclaration: (node) => look(node.source),
    ImportExpression: (node) => look(node.source),
    CallExpression: (node) => node.arguments.forEach(look),
    Literal: lookAtText,
    TemplateElement: lookAtText,
    MemberExpression(node) {
      const isDeno = textOf(node.object) === "Deno";
      if (isDeno && textOf(node.property) === "Command") report(node, "starts programs by itself");
    },
    // `const { Command } = Deno`, and other names for Deno.
    VariableDeclarator(node) {
      if (node.init !== null && textOf(node.init) === "Deno") {
        report(node, "takes Deno apart, where Deno.Command is");
      }
    },
  };
}

/** A literal's value, a name, or "". */
function textOf(node: Deno.lint.Node): string {
  if (node.type === "Literal") return typeof node.value === "string" ? node.value : "";
  if (node.type === "Identifier") return node.name;
  if (node.type === "TemplateElement") return node.cooked;
  if (node.type === "MemberExpression" && textOf(node.object) === "globalThis") {
    return textOf(node.property);
  }
  if (node.type === "TemplateLiteral") return node.quasis.map((one) => one.cooked).join("");
  return "";
}

const plugin: Deno.lint.Plugin = { name: "starting", rules: { "one-helper": { create } } };

export default plugin;
