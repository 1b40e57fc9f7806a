/**
 * The rules that bytes have one home, as a Deno lint plugin (named in deno.json). `layout/offset`: in the
 * engine, what reads or writes a field of an image names it by a field of `layout.ts`; no other file
 * adds a number. `layout/wire`: in the relay, bytes of the shared memory are read and written in the
 * files listed below alone. `layout/words`: numbers are split in two words by abi/words.ts.
 *
 * @module
 */
import { ROOT } from "./project.ts";

const ENGINE = "opfs/volume/";
const RELAY = "opfs/relay/";

/** Files of the engine that the first rule leaves out, and why. */
export const EXEMPT: Readonly<Record<string, string>> = {
  "opfs/volume/format/layout.ts": "it is the home",
  "opfs/volume/format/slots.ts": "below it: what several kinds of slots share",
  "opfs/volume/format/checksum.ts": "it sums words whatever they mean",
  "opfs/volume/memory/summed_bytes.ts": "a sum stands after bytes of any length",
};
/** The exchange with @componentor/fs has a layout of its own. */
const EXCHANGE = "opfs/volume/version1/";

/** Files of the relay that touch bytes, and which. */
export const WIRE: Readonly<Record<string, string>> = {
  "opfs/relay/cursor.ts": "frames and values",
  "opfs/relay/s11n.ts": "typed values",
  "opfs/relay/path_ops.ts": "listings of whole paths, built beside the wire and sent as bytes",
};

/** Where 2 ** 32 is something else than the border between two words. */
export const NUMBERS: Readonly<Record<string, string>> = {
  "abi/words.ts": "it is the home",
  "opfs/device/handle.ts": "what Chromium answers for -8",
};

const ACCESS = /^[gs]et(Ui|I)nt(8|16|32)$|^[gs]etFloat(32|64)$|^[gs]etBig(Ui|I)nt64$/;
const FOLDERS = /^(abi|fs|node_ops|stream_ops|opfs|adapters|cli)\//;

function pathOf(context: Deno.lint.RuleContext): string {
  return context.filename.replaceAll("\\", "/").replace(ROOT.replaceAll("\\", "/"), "");
}

function offset(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const path = pathOf(context);
  if (!path.startsWith(ENGINE) || path.startsWith(EXCHANGE) || path in EXEMPT) return {};
  return {
    CallExpression(node) {
      const [at] = node.arguments;
      if (!isAccess(node) || at === undefined || hasField(at) && !hasNumber(at)) return;
      const hint = "Name the field of layout.ts, or use an accessor of slots.ts";
      context.report({ node: at, message: "knows an offset of the image", hint });
    },
    BinaryExpression(node) {
      if (node.operator !== "+" || node.right.type !== "Literal") return;
      if (!hasField(node.left)) return;
      const hint = "Give what is there a field of its own in layout.ts";
      context.report({ node, message: "counts from a field of the image", hint });
    },
  };
}

/** A call of a DataView's method; what is called scratch holds nothing but one number. */
function isAccess({ callee }: Deno.lint.CallExpression): boolean {
  return callee.type === "MemberExpression" && ACCESS.test(nameOf(callee.property)) &&
    nameOf(callee.object) !== "scratch";
}

/** Whether a field is named: `at + L.SLOT.SIZE`, `at + field`, or `generationAt(slot)`. */
function hasField(node: Deno.lint.Node): boolean {
  if (node.type === "BinaryExpression") {
    return node.operator === "+" && (hasField(node.left) || hasField(node.right));
  }
  if (node.type === "Identifier") return /^\w*field$/i.test(node.name);
  if (node.type === "CallExpression") return /At$/.test(nameOf(node.callee));
  return isLayout(node);
}

/** `L.SLOT.SIZE`, and `F.SIZE` after `const F = L.SLOT`. */
function isLayout(node: Deno.lint.Node): boolean {
  if (node.type !== "MemberExpression" || !/^[A-Z][A-Z_0-9]*$/.test(nameOf(node.property))) {
    return false;
  }
  const { object } = node;
  if (object.type === "Identifier") return /^[A-KM-Z]$/.test(object.name);
  return object.type === "MemberExpression" && nameOf(object.object) === "L";
}

function hasNumber(node: Deno.lint.Node): boolean {
  if (node.type === "Literal") return true;
  return node.type === "BinaryExpression" && node.operator !== "*" &&
    (hasNumber(node.left) || hasNumber(node.right));
}

function wire(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const path = pathOf(context);
  if (!path.startsWith(RELAY) || path in WIRE) return {};
  return {
    CallExpression(node) {
      if (!isAccess(node)) return;
      const hint = "Read and write by Reader and Writer of cursor.ts, or by s11n.ts";
      context.report({ node, message: "touches bytes of the wire", hint });
    },
  };
}

function words(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const path = pathOf(context);
  if (!FOLDERS.test(path) || path in NUMBERS) return {};
  const report = (node: Deno.lint.Node): void => {
    const hint = "Use lowWord, highWord, joinWords or shownIno of abi/words.ts";
    context.report({ node, message: "splits a number in words by itself", hint });
  };
  return {
    BinaryExpression(node) {
      const [base, exponent] = [node.left, node.right].map(numberOf);
      if (node.operator === "**" && base === 2 && exponent === 32) report(node);
    },
    Literal(node) {
      if (node.value === 0x1_0000_0000) report(node);
    },
  };
}

function numberOf(node: Deno.lint.Node): number {
  return node.type === "Literal" ? Number(node.value) : NaN;
}

function nameOf(node: Deno.lint.Node): string {
  return node.type === "Identifier" || node.type === "PrivateIdentifier" ? node.name : "";
}

const plugin: Deno.lint.Plugin = {
  name: "layout",
  rules: { offset: { create: offset }, wire: { create: wire }, words: { create: words } },
};

export default plugin;
