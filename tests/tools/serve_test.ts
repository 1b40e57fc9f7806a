/**
 * The headers and the files of tools/serve.ts.
 */
import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { answer, startServer } from "../../tools/serve.ts";

Deno.test("answer() isolates a page", async () => {
  const { status, headers } = await answer("/blank.html?x=1");
  assertEquals(status, 200);
  assertEquals(headers["Cross-Origin-Opener-Policy"], "same-origin");
  assertEquals(headers["Cross-Origin-Embedder-Policy"], "require-corp");
  assertStringIncludes(headers["Content-Type"] ?? "", "text/html");
});

Deno.test("answer() sends the same file without isolation under /noiso/", async () => {
  const { status, headers, body } = await answer("/noiso/deno.json");
  assertEquals(status, 200);
  assertFalse("Cross-Origin-Embedder-Policy" in headers);
  assertEquals(body, (await answer("/deno.json")).body);
});

Deno.test("answer() says 404 for what is not there, still isolated", async () => {
  const { status, headers } = await answer("/no/such/file.js");
  assertEquals(status, 404);
  assert("Cross-Origin-Embedder-Policy" in headers);
});

Deno.test("answer() does not leave the checkout", async () => {
  for (const way of ["/../secret", "/%2e%2e/%2e%2e/etc/hostname", "/..%2f..%2f..%2fetc/hostname"]) {
    assertEquals((await answer(way)).status, 404, way);
  }
});

Deno.test("startServer() serves until it is closed", async () => {
  const server = await startServer({ port: 0 });
  const response = await fetch(`${server.origin}/deno.json`);
  assertEquals((await response.json()).name, "@cairn/fs");
  await server.close();
  const left = await fetch(server.origin).then(() => "answers", () => "gone");
  assertEquals(left, "gone");
});
