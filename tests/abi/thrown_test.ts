/** What is said by something thrown that is no error of ours. */
import { assertEquals } from "@std/assert";
import { codeOfHost, messageOf } from "../../abi/thrown.ts";

Deno.test("messageOf() finds words in whatever is thrown", () => {
  const thrown = [new Error("a"), "b", null, undefined, { message: 1 }, 7];
  assertEquals(thrown.map(messageOf), ["a", "b", "null", "undefined", "1", "7"]);
});

Deno.test("codeOfHost() knows errors that have a number alone", () => {
  assertEquals(codeOfHost(new Error("File too large (os error 27)")), "EFBIG");
  assertEquals(codeOfHost(new Error('File too large (os error 27): write "/a"')), "EFBIG");
  assertEquals(codeOfHost(Object.assign(new Error("no"), { code: "ENOENT" })), "ENOENT");
  for (const error of [null, undefined, new Error("x"), new Error("(os error 99999)")]) {
    assertEquals(codeOfHost(error), "");
  }
});

Deno.test("codeOfHost() says nothing where no host says what its numbers mean", () => {
  const { process } = globalThis as { process?: unknown };
  try {
    for (const without of [undefined, {}]) {
      Object.assign(globalThis, { process: without });
      assertEquals(codeOfHost(new Error("File too large (os error 27)")), "");
    }
  } finally {
    Object.assign(globalThis, { process });
  }
});
