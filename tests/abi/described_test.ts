/** An error is the same one after it has travelled. */
import { assertEquals } from "@std/assert";
import { describeError, reasonOf, restoreError } from "../../abi/described.ts";
import { ErrnoError } from "../../abi/errno.ts";

/** What arrives: plain data, through a structured clone. */
function travelled(error: unknown): ErrnoError {
  return restoreError(structuredClone(describeError(error)));
}

Deno.test("describeError() takes an ErrnoError apart so that it can be made again", () => {
  const errors = [
    new ErrnoError("ENOENT", 'open "/a"'),
    new ErrnoError("EBUSY", 'open "/a"', { why: "EBUSY: cannot be" }),
    new ErrnoError("EBADF"),
    new ErrnoError("EIO", undefined, { why: "worn out" }),
  ];
  for (const error of errors) {
    const { name, code, errno, action, why, message } = travelled(error);
    assertEquals({ name, code, errno, action, why, message }, {
      name: "ErrnoError",
      code: error.code,
      errno: error.errno,
      action: error.action,
      why: error.why,
      message: error.message,
    });
  }
});

Deno.test("describeError() gives other things whole, as EIO", () => {
  assertEquals(describeError(new TypeError("odd")), { code: "EIO", action: "odd" });
  assertEquals(describeError("odd"), { code: "EIO", action: "odd" });
  assertEquals(travelled(undefined).message, "EIO: cannot undefined");
});

Deno.test("describeError() keeps number and words of another class of ErrnoError", () => {
  const error = Object.assign(new Error("FS error"), { name: "ErrnoError", errno: 44 });
  assertEquals(describeError(error), { code: "ENOENT", action: "FS error" });
});

Deno.test("reasonOf() says in one what could not be done and what was wrong", () => {
  assertEquals(reasonOf({ code: "EIO", action: "sync", why: "no disk" }), "sync: no disk");
  assertEquals(reasonOf({ code: "EIO", action: "sync" }), "sync");
  assertEquals(reasonOf({ code: "EIO", why: "no disk" }), "no disk");
  assertEquals(reasonOf({ code: "EIO" }), "EIO");
});
