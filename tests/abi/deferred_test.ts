import { assertEquals, assertRejects } from "@std/assert";
import { deferred } from "../../abi/deferred.ts";
import { sourceFiles } from "../../tools/project.ts";

Deno.test("deferred() hands out both ends of a promise", async () => {
  const good = deferred<number>();
  good.resolve(5);
  good.reject(new Error("too late"));
  assertEquals(await good.promise, 5);
  const bad = deferred<number>();
  bad.reject(new Error("no"));
  await assertRejects(() => bad.promise, Error, "no");
});

/** What the oldest browser with sync access handles lacks, and nothing here may call. */
const TOO_NEW = [
  /Promise\.(withResolvers|try)\b/,
  /\.(toSorted|toSpliced|toReversed|transferToFixedLength)\(/,
  /\b(Object|Map)\.groupBy\b/,
  /\bArray\.fromAsync\b/,
  /\bIterator\.from\b/,
];

Deno.test("the library calls nothing that its oldest browsers lack", () => {
  const folders = ["abi", "fs", "node_ops", "stream_ops", "opfs"];
  const files = sourceFiles(folders).filter((file) => !file.endsWith("worker_source.ts"));
  assertEquals(files.length > 100, true, `${files.length} files`);
  const found = files.filter((file) => {
    const code = Deno.readTextFileSync(new URL(`../../${file}`, import.meta.url))
      .replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    return TOO_NEW.some((pattern) => pattern.test(code));
  });
  assertEquals(found, []);
});
