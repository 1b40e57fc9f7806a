/** Whole files. */
import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import { assertErrno } from "../support/errno.ts";

Deno.test("writeFile() and readFile() keep text and bytes", () => {
  const fs = createFS();
  fs.writeFile("/t", "grüße 😀");
  assertEquals(fs.readFile("/t", { encoding: "utf8" }), "grüße 😀");
  fs.writeFile("/b", new Uint16Array([1, 256]));
  assertEquals([...fs.readFile("/b")], [1, 0, 0, 1]);
  fs.writeFile("/b", new ArrayBuffer(2));
  assertEquals([...fs.readFile("/b")], [0, 0]);
  fs.writeFile("/b", "");
  assertEquals(fs.readFile("/b").length, 0);
});

Deno.test("readFile() reads on where the size says nothing", () => {
  const fs = createFS();
  let left = 10_000;
  fs.createDevice("/dev", "count", () => left-- > 0 ? 65 : null);
  assertEquals(fs.readFile("/dev/count").length, 10_000);
});

Deno.test("readFile() gives bytes of its own", () => {
  const fs = createFS();
  fs.writeFile("/f", "abc");
  fs.readFile("/f").fill(0);
  assertEquals(fs.readFile("/f", { encoding: "utf8" }), "abc");
});

Deno.test("writeFile() with flags and mode, readFile() with an unknown encoding", () => {
  const fs = createFS({ credentials: { umask: 0 } });
  fs.writeFile("/f", "ab", { mode: 0o640 });
  fs.writeFile("/f", "cd", { flags: "a" });
  assertEquals([fs.readFile("/f", { encoding: "utf8" }), fs.stat("/f").mode], ["abcd", 0o100640]);
  assertErrno("EEXIST", () => fs.writeFile("/f", "", { flags: "wx" }));
  assertErrno("EINVAL", () => fs.readFile("/f", { encoding: "latin1" as never }));
  assertErrno("EINVAL", () => fs.writeFile("/f", 5 as never));
  assertErrno("EISDIR", () => fs.readFile("/tmp"));
});

Deno.test("writeFile() to a full device leaves no descriptor open", () => {
  const fs = createFS();
  assertErrno("ENOSPC", () => fs.writeFile("/dev/full", "x"));
  assertEquals(fs.nextfd(), 0);
});

Deno.test("readFile() as text keeps a byte order mark, so that writing it back changes nothing", () => {
  const fs = createFS();
  const bytes = new Uint8Array([0xef, 0xbb, 0xbf, 0x61]);
  fs.writeFile("/f", bytes);
  fs.writeFile("/f", fs.readFile("/f", { encoding: "utf8" }));
  assertEquals(fs.readFile("/f"), bytes);
});

Deno.test("readFile() of a device ends with the device, and is EFBIG where there is no end", () => {
  const fs = createFS();
  let typed = "Hi";
  fs.createDevice("/dev", "typed", () => {
    const code = typed === "" ? null : typed.charCodeAt(0);
    typed = typed.slice(1);
    return code;
  }, null);
  assertEquals(fs.readFile("/dev/typed", { encoding: "utf8" }), "Hi");
  assertErrno("EFBIG", () => fs.readFile("/dev/zero"));
  assertEquals(fs.streams.filter(Boolean), []);
});
