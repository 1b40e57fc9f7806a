/** The scratch copy of the suite's frame. */
import { assert, assertEquals } from "@std/assert";
import { linkScripts } from "../../../tools/pjdfstest/frame.ts";

Deno.test("linkScripts() takes the scripts that are wanted, and rewrites one construct", () => {
  const suite = Deno.makeTempDirSync();
  const tests = `${suite}/scratch`;
  Deno.mkdirSync(`${suite}/tests/open`, { recursive: true });
  Deno.mkdirSync(tests);
  Deno.writeTextFileSync(`${suite}/tests/open/00.t`, "x\n  echo text > ${n0}\ny\n");
  Deno.writeTextFileSync(`${suite}/tests/open/01.t`, "echo text > /elsewhere\n");
  Deno.writeTextFileSync(`${suite}/tests/open/notes`, "");
  const names = linkScripts("open", { suite, tests, only: [] });
  assertEquals(names, ["open/00.t", "open/01.t"]);
  assertEquals(Deno.readTextFileSync(`${tests}/open/00.t`), "x\n  vwrite ${n0} text\ny\n");
  assert(Deno.lstatSync(`${tests}/open/01.t`).isSymlink);
  const again = `${suite}/again`;
  Deno.mkdirSync(again);
  assertEquals(linkScripts("open", { suite, tests: again, only: ["open/01"] }), ["open/01.t"]);
  Deno.removeSync(`${again}/open`, { recursive: true });
  assertEquals(linkScripts("open", { suite, tests: again, only: ["chmod"] }), []);
  Deno.removeSync(suite, { recursive: true });
});
