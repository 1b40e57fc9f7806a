/** README, run: its lines of TypeScript in a project of their own that links to this checkout. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { hostCommand } from "../../tools/programs.ts";

const checkout = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const readme = await Deno.readTextFile(join(checkout, "README.md"));

function block(language: string): string {
  const found = readme.match(new RegExp("```" + language + "\\n([\\s\\S]*?)```"));
  if (found?.[1] === undefined) throw new Error(`README has no ${language} block`);
  return found[1];
}

async function run(cwd: string, args: string[]): Promise<{ code: number; text: string }> {
  const command = hostCommand(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("README opens with the two commands, demo first", () => {
  const lines = block("sh").trim().split("\n").map((line) => line.split("#")[0]?.trim());
  assertEquals(lines, ["npx -y deno@2.9.5 task demo", "npx -y deno@2.9.5 task test"]);
});

Deno.test("README's ten lines run in a scratch project, and a second process finds the file", async () => {
  const project = await Deno.makeTempDir();
  try {
    const config = {
      links: [checkout],
      imports: { "@cairn/fs": "jsr:@cairn/fs@^0.1.0" },
    };
    await Deno.writeTextFile(join(project, "deno.json"), JSON.stringify(config));
    await Deno.writeTextFile(join(project, "write.ts"), block("ts"));
    await Deno.writeTextFile(
      join(project, "read.ts"),
      `import { createFS, openVolume, VOLUMEFS } from "@cairn/fs";
       const volume = await openVolume("notes");
       const FS = createFS({ root: { type: VOLUMEFS, options: { volume } } });
       console.log("found " + FS.readFile("/a.txt", { encoding: "utf8" }));
       await volume.close();`,
    );
    const flags = ["run", "--allow-read", "--allow-write", "--no-lock"];
    const first = await run(project, [...flags, "write.ts"]);
    assertEquals(first.code, 0, first.text);
    const second = await run(project, [...flags, "--check", "read.ts"]);
    assertEquals(second.code, 0, second.text);
    assertStringIncludes(second.text, "found kept");
  } finally {
    await Deno.remove(project, { recursive: true });
  }
});
