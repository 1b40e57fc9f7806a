import { assertEquals } from "@std/assert";
import { closed } from "../../../opfs/relay/closed.ts";

Deno.test("closed() says that it was this client that closed the volume", () => {
  const { code, message } = closed("share the volume");
  assertEquals(code, "EBADF");
  assertEquals(message, "EBADF: cannot share the volume: the volume has been closed here");
});
