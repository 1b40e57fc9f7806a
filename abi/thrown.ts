/**
 * What is said by something thrown that is no error of ours: by the host, a browser, a library.
 *
 * Layer: abi. The one place that reads a message. A host under Deno gives some errors no code, only
 * a number in the text: "File too large (os error 27)".
 *
 * @module
 */

interface NodeProcess {
  getBuiltinModule?(name: "os"): { constants: { errno: Readonly<Record<string, number>> } };
}

/**
 * The text of whatever was thrown.
 *
 * @example
 * ```ts
 * import { messageOf } from "@cairn/fs/abi";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([new Error("worn out"), "text", null].map(messageOf), ["worn out", "text", "null"]);
 * ```
 */
export function messageOf(error: unknown): string {
  return String((error as { message?: unknown } | null | undefined)?.message ?? error);
}

/**
 * The code of a host's error, such as "ENOENT"; "" if it has none.
 *
 * @example
 * ```ts
 * import { codeOfHost } from "@cairn/fs/abi";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(codeOfHost(Object.assign(new Error("no such file"), { code: "ENOENT" })), "ENOENT");
 * assertEquals(codeOfHost(new Error("no such file")), "");
 * ```
 */
export function codeOfHost(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  if (typeof code === "string") return code;
  const number = /\(os error (\d+)\)/.exec(messageOf(error))?.[1];
  return number === undefined ? "" : codeOfNumber(Number(number));
}

/** Numbers differ between systems: the host knows its own. */
function codeOfNumber(number: number): string {
  const { process } = globalThis as { process?: NodeProcess };
  const errno = process?.getBuiltinModule?.("os").constants.errno ?? {};
  return Object.keys(errno).find((name) => errno[name] === number) ?? "";
}
