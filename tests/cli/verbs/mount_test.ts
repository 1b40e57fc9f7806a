/**
 * The words of `cairn mount`; tests/mount has what needs a kernel.
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { mountVerb } from "../../../cli/verbs/mount.ts";
import { readWords, type Terminal, UsageError } from "../../../cli/shared/verb.ts";
import { ErrnoError } from "../../../mod.ts";

const ignore = Deno.build.os !== "linux";

function terminalOf(lines: string[]): Terminal {
  return {
    print: (text) => void lines.push(text),
    write: () => {},
    say: (line) => void lines.push(line),
    show: () => {},
    flush: () => {},
  };
}

async function runWith(args: string[], lines: string[] = []): Promise<number> {
  const { values, words } = readWords(mountVerb, args);
  const reportError = (error: unknown): void => void lines.push(String(error));
  return await mountVerb.run({ words, options: values, terminal: terminalOf(lines), reportError });
}

Deno.test("mountVerb takes an image and a directory", () => {
  assertThrows(() => readWords(mountVerb, ["a"]), UsageError, "missing");
  assertThrows(() => readWords(mountVerb, ["a", "b", "c"]), UsageError, "too many");
  assertThrows(() => readWords(mountVerb, ["--writable", "a", "b"]), UsageError);
  assertEquals(readWords(mountVerb, ["--foreground", "--", "-a", "b"]).words, ["-a", "b"]);
});

Deno.test("mountVerb refuses a timeout that is no number", { ignore }, async () => {
  await assertRejects(() => runWith(["--attr-timeout", "long", "a", "b"]), UsageError, "long");
});

Deno.test("mountVerb says what is missing", { ignore }, async () => {
  const folder = Deno.makeTempDirSync();
  const missing = [`${folder}/missing`, folder];
  await assertRejects(() => runWith(["--foreground", ...missing]), ErrnoError, "ENOENT");
  Deno.removeSync(folder, { recursive: true });
});
