/**
 * The demo as people start it: processes of their own, in a directory of their own, allowed to read
 * and write and nothing else. The second finds what the first left.
 */
import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { checkVolume, fileHandle } from "../../mod.ts";
import { hostCommand } from "../../tools/programs.ts";

const CHECKOUT = fromFileUrl(new URL("../../", import.meta.url));

interface Ended {
  code: number;
  out: string;
  err: string;
}

async function runDemo(cwd: string): Promise<Ended> {
  const args = ["run", "--no-lock", "--no-prompt", "--allow-read", "--allow-write"];
  const config = ["--config", join(CHECKOUT, "deno.json"), join(CHECKOUT, "examples", "demo.ts")];
  const output = await hostCommand(Deno.execPath(), {
    args: [...args, ...config],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    out: decoder.decode(output.stdout),
    err: decoder.decode(output.stderr),
  };
}

async function inFolder(body: (folder: string, image: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "cairn_demo_" });
  try {
    await body(folder, join(folder, "demo.cairn"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function assertWhole(image: string): void {
  const handle = fileHandle(image);
  try {
    assertEquals(checkVolume(handle).violations, []);
  } finally {
    handle.close();
  }
}

Deno.test("demo: the second process finds what the first left, on reading and writing alone", async () => {
  await inFolder(async (folder, image) => {
    const first = await runDemo(folder);
    assertEquals(first.code, 0, first.err);
    assertStringIncludes(first.out, "made demo.cairn");
    assertStringIncludes(first.out, "found: nothing, this is the first run");
    assertStringIncludes(first.out, "did: run 1 wrote notebook.txt");
    const before = await Deno.readFile(image);
    assertWhole(image);
    const second = await runDemo(folder);
    assertEquals(second.code, 0, second.err);
    assertStringIncludes(second.out, "opened demo.cairn");
    assertStringIncludes(second.out, "found: 1 earlier run, the last at ");
    assertStringIncludes(second.out, "did: run 2 wrote notebook.txt");
    assertNotEquals(await Deno.readFile(image), before, "the image has changed");
    assertWhole(image);
  });
});

Deno.test("demo: says in one line that demo.cairn is no volume, and leaves it alone", async () => {
  await inFolder(async (folder, image) => {
    const text = "somebody's only copy of something else\n".repeat(1000);
    await Deno.writeTextFile(image, text);
    const { code, out, err } = await runDemo(folder);
    assertEquals([code, out], [1, ""]);
    assertEquals(err.trimEnd().split("\n").length, 1, err);
    assertStringIncludes(err, "demo: ");
    assertEquals(await Deno.readTextFile(image), text);
  });
});
