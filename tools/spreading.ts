/**
 * The rule that no list of data becomes the arguments of a call, as a Deno lint plugin (named in
 * deno.json): an engine takes some 100,000 arguments and then says that the stack is full, which a
 * directory, a journal or a file can bring about. `Math.max(...sizes)` works until then.
 *
 * It holds in what is published. Forwarding the rest parameters of a function is no such list, nor is
 * the spread into an array or an object.
 *
 * @module
 */
import { PUBLISHED, ROOT } from "./project.ts";

/** Calls that take any number of arguments, by the name before or after the dot. */
const VARIADIC =
  /^(push|unshift|splice|concat|max|min|hypot|fromCharCode|fromCodePoint|of|assign|toSpliced|append|prepend|join|resolve)$/;

const HINT = "Walk through the list instead";

type Call = Deno.lint.CallExpression | Deno.lint.NewExpression;
type FunctionNode =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression;

function create(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const path = context.filename.replaceAll("\\", "/").replace(ROOT.replaceAll("\\", "/"), "");
  if (!PUBLISHED.some((folder) => path.startsWith(`${folder}/`))) return {};
  function look(node: Call): void {
    for (const argument of node.arguments) {
      if (argument.type !== "SpreadElement" || isForwarded(argument)) continue;
      if (!VARIADIC.test(nameOf(node.callee))) continue;
      context.report({ node: argument, message: "spreads a list into a call", hint: HINT });
    }
  }
  return {
    CallExpression(node) {
      look(node);
      if (nameOf(node.callee) === "apply" && node.arguments.length === 2) {
        context.report({ node, message: "spreads a list into a call, by apply", hint: HINT });
      }
    },
    NewExpression: look,
  };
}

/** The last name of what is called. */
function nameOf(callee: Deno.lint.Node): string {
  if (callee.type === "Identifier") return callee.name;
  if (callee.type === "Literal") return String(callee.value);
  return callee.type === "MemberExpression" ? nameOf(callee.property) : "";
}

/** Whether what is spread are the rest parameters of a function around it. */
function isForwarded(spread: Deno.lint.SpreadElement): boolean {
  const { argument } = spread;
  if (argument.type !== "Identifier") return false;
  for (let at: Deno.lint.Node | undefined = spread; at !== undefined && at !== null;) {
    if (isFunction(at) && at.params.some((one) => isRest(one, argument.name))) return true;
    at = (at as { parent?: Deno.lint.Node }).parent;
  }
  return false;
}

function isFunction(node: Deno.lint.Node): node is FunctionNode {
  return /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
}

function isRest(parameter: Deno.lint.Parameter, name: string): boolean {
  return parameter.type === "RestElement" && nameOf(parameter.argument) === name;
}

const plugin: Deno.lint.Plugin = { name: "spreading", rules: { "into-a-call": { create } } };

export default plugin;
