/**
 * The rule that an invariant's message is put together only when it is broken, as a Deno lint plugin
 * (named in deno.json). `invariant(isRight, "V7: {} blocks", count)` costs a comparison; with a template
 * in the place of the text it makes a string each time it is asked, which was a third of what a durable
 * call of the engine took.
 *
 * @module
 */
import { PUBLISHED, ROOT } from "./project.ts";

const HINT = 'Write "V7: {} blocks", and give the value as a further argument';

function create(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const path = context.filename.replaceAll("\\", "/").replace(ROOT.replaceAll("\\", "/"), "");
  if (!PUBLISHED.some((folder) => path.startsWith(`${folder}/`))) return {};
  return {
    CallExpression(node) {
      if (node.callee.type !== "Identifier" || node.callee.name !== "invariant") return;
      const [, text, ...values] = node.arguments;
      if (text?.type !== "Literal" || typeof text.value !== "string") {
        context.report({ node, message: "makes its message before it is needed", hint: HINT });
        return;
      }
      const places = text.value.split("{}").length - 1;
      if (places === values.length) return;
      const message = `has ${places} places for ${values.length} values`;
      context.report({ node, message, hint: HINT });
    },
  };
}

const plugin: Deno.lint.Plugin = { name: "invariants", rules: { "message": { create } } };

export default plugin;
