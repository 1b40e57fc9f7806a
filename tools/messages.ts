/**
 * The rules about errors, as a Deno lint plugin (named in deno.json). `messages/decision`: a message is
 * for people, so nothing is decided or cut out by its text; code, `action` and `why` of an ErrnoError are
 * fields. `messages/why`: what was wrong stands in the field, not after a colon in the action.
 *
 * They hold everywhere but in tests. Seen as a message: `error.message`, what `messageOf()` and
 * `String(error)` return, their parts, and a name that is given one of these in the same function.
 *
 * @module
 */
import { ROOT } from "./project.ts";

/** Which files may look into a message, and why. */
export const EXEMPT: Readonly<Record<string, string>> = {
  "abi/thrown.ts": "reads the number that Deno puts nowhere else",
  "cli/shared/verb.ts":
    "prints: adds the host's code where the text lacks it, and drops the number",
  "tools/std/assert/throws.ts": "stands in for @std/assert, whose callers name parts of messages",
};

/** What decides by a text or cuts it up, by name. */
const CUTTING =
  /^(at|charAt|charCodeAt|endsWith|includes|indexOf|lastIndexOf|match|matchAll|replace|replaceAll|search|slice|split|startsWith|substr|substring)$/;
const TRYING = /^(exec|test)$/;
const COMPARING = /^([=!]==?|[<>]=?)$/;

const HINT = "Look at code, action or why of the ErrnoError, or give the error a field";

/** Whether the rules speak about a file; paths are relative to the checkout. */
export function isBound(path: string): boolean {
  return !path.startsWith("tests/") && !(path in EXEMPT);
}

function pathOf(context: Deno.lint.RuleContext): string {
  return context.filename.replaceAll("\\", "/").replace(ROOT.replaceAll("\\", "/"), "");
}

function decision(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  if (!isBound(pathOf(context))) return {};
  const names: Names = new Map();
  const suspects: { node: Deno.lint.Node; of: readonly Deno.lint.Node[] }[] = [];
  return {
    VariableDeclarator({ id, init }) {
      if (init === null) return;
      if (id.type === "Identifier" && isMessage(init, names)) addName(id, names);
      if (id.type === "ObjectPattern" && isErrorName(init)) addNames(id, names);
    },
    CallExpression(node) {
      const { callee } = node;
      if (callee.type !== "MemberExpression") return;
      const name = nameOf(callee.property);
      if (CUTTING.test(name)) suspects.push({ node, of: [callee.object] });
      if (TRYING.test(name)) suspects.push({ node, of: node.arguments });
    },
    BinaryExpression(node) {
      const of = [node.left, node.right];
      if (COMPARING.test(node.operator) && !of.some(isAbsence)) suspects.push({ node, of });
    },
    SwitchStatement(node) {
      suspects.push({ node, of: [node.discriminant] });
    },
    "Program:exit"() {
      for (const { node, of } of suspects) {
        if (!of.some((one) => isMessage(one, names))) continue;
        context.report({ node, message: "decides by the text of a message", hint: HINT });
      }
    },
  };
}

/** Whether there is a message at all may be asked. */
function isAbsence(node: Deno.lint.Node): boolean {
  return nameOf(node) === "undefined" || node.type === "Literal" && node.value === null;
}

/** Names that hold messages, by the function in which they do. */
type Names = Map<Deno.lint.Node, Set<string>>;

function addName(id: Deno.lint.Node, names: Names): void {
  const [within] = functionsAround(id);
  if (within === undefined) return;
  const known = names.get(within) ?? new Set();
  names.set(within, known.add(nameOf(id)));
}

/** The functions around a node, and the file, from the inside. */
function functionsAround(node: Deno.lint.Node): Deno.lint.Node[] {
  const found: Deno.lint.Node[] = [];
  let at = (node as { parent?: Deno.lint.Node }).parent;
  for (; at !== undefined && at !== null; at = (at as { parent?: Deno.lint.Node }).parent) {
    if (/Function|^Program$/.test(at.type)) found.push(at);
  }
  return found;
}

/** `const { message } = error`, and under another name. */
function addNames(pattern: Deno.lint.ObjectPattern, names: Names): void {
  for (const property of pattern.properties) {
    if (property.type !== "Property" || nameOf(property.key) !== "message") continue;
    const { value } = property;
    addName(value.type === "AssignmentPattern" ? value.left : value, names);
  }
}

/** Whether what an expression gives is a message, whole or in part. */
function isMessage(node: Deno.lint.Node, names: Names): boolean {
  const look = (one: Deno.lint.Node): boolean => isMessage(one, names);
  switch (node.type) {
    case "Identifier":
      return functionsAround(node).some((one) => names.get(one)?.has(node.name));
    case "MemberExpression":
      return nameOf(node.property) === "message" && isErrorName(node.object);
    case "ChainExpression":
    case "TSAsExpression":
    case "TSNonNullExpression":
      return look(node.expression);
    case "TemplateLiteral":
      return node.expressions.some(look);
    case "LogicalExpression":
      return look(node.left) || look(node.right);
    case "BinaryExpression":
      return node.operator === "+" && (look(node.left) || look(node.right));
    case "ConditionalExpression":
      return look(node.consequent) || look(node.alternate);
    case "CallExpression":
      return isMessageCall(node, look);
    default:
      return false;
  }
}

function isMessageCall(
  { callee, arguments: given }: Deno.lint.CallExpression,
  look: (node: Deno.lint.Node) => boolean,
): boolean {
  if (callee.type === "MemberExpression") {
    const isToString = nameOf(callee.property) === "toString" && isErrorName(callee.object);
    return isToString || look(callee.object);
  }
  const name = nameOf(callee);
  if (name === "String") return given.some((one) => isErrorName(one) || look(one));
  return name === "messageOf";
}

/** Something thrown is called so here, or is cast from what is. */
function isErrorName(node: Deno.lint.Node): boolean {
  const isCast = /^(TSAs|TSNonNull|Chain)Expression$/.test(node.type);
  if (isCast) return isErrorName((node as Deno.lint.TSAsExpression).expression);
  if (node.type === "LogicalExpression") return isErrorName(node.left);
  if (node.type === "MemberExpression") return isErrorName(node.property);
  return /^(error|err|e|cause|thrown|failure|reason|bug|problem|damage|refused|worst)$/i
    .test(nameOf(node));
}

function nameOf(node: Deno.lint.Node): string {
  if (node.type === "Identifier" || node.type === "PrivateIdentifier") return node.name;
  return node.type === "Literal" && typeof node.value === "string" ? node.value : "";
}

function why(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  if (!isBound(pathOf(context))) return {};
  return {
    NewExpression(node) {
      const [, action] = node.arguments;
      if (nameOf(node.callee) !== "ErrnoError" || action === undefined) return;
      if (!textsOf(action).some((text) => text.includes(": "))) return;
      const message = "says what was wrong within the action";
      context.report({ node: action, message, hint: "Say it by `why`, in the options" });
    },
  };
}

/** The literal parts of a text. */
function textsOf(node: Deno.lint.Node): string[] {
  if (node.type === "TemplateLiteral") return node.quasis.map(({ cooked }) => cooked);
  return [nameOf(node)];
}

const plugin: Deno.lint.Plugin = {
  name: "messages",
  rules: { decision: { create: decision }, why: { create: why } },
};

export default plugin;
