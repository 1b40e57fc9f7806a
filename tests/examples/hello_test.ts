/** The smallest example, run as people run it: without any permission. */
import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { hostCommand } from "../../tools/programs.ts";

const CHECKOUT = fromFileUrl(new URL("../../", import.meta.url));

Deno.test("hello: prints what it wrote, and needs no permission", async () => {
  const output = await hostCommand(Deno.execPath(), {
    args: ["run", "--no-lock", "--no-prompt", join("examples", "hello.ts")],
    cwd: CHECKOUT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  const lines = decoder.decode(output.stdout).trimEnd().split("\n");
  assertEquals(lines, ["hello, filesystem", ". .. hello.txt latest 17 bytes"]);
  assertEquals(output.code, 0, decoder.decode(output.stderr));
});
