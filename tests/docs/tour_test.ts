/** README's tour of the command line, run line by line in a shell, over a link to this checkout. */
import { assertEquals, assertMatch } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { hostCommand } from "../../tools/programs.ts";

const checkout = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const readme = await Deno.readTextFile(join(checkout, "README.md"));
const lines = tourOf(readme);

function tourOf(text: string): string[] {
  const section = text.slice(text.indexOf("## On the command line"));
  const block = /```sh\n([\s\S]*?)```/.exec(section)?.[1];
  if (block === undefined) throw new Error("README has no tour");
  return block.trim().split("\n");
}

/** Linux, root, and a kernel that lets us. */
function canMount(): boolean {
  try {
    Deno.openSync("/dev/fuse", { read: true, write: true }).close();
    return Deno.build.os === "linux" && Deno.uid() === 0;
  } catch {
    return false;
  }
}

/** Runs the lines in one shell, in a folder of their own; what each printed, and its status. */
async function walk(chosen: readonly string[]): Promise<{ out: string; status: number }[]> {
  const folder = await Deno.makeTempDir();
  const end = "=== end of line";
  try {
    const config = { links: [checkout], imports: { "@cairn/fs": "jsr:@cairn/fs@^0.1.0" } };
    await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(config));
    const script = chosen.map((line) => `${line}\necho "${end} $?"`).join("\n");
    const { stdout, stderr } = await hostCommand("sh", {
      args: ["-c", `deno() { shift; "$DENO" run --quiet --no-lock "$@"; }\n${script} 2>&1`],
      cwd: folder,
      env: { DENO: Deno.execPath(), NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    const parts = decoder.decode(stdout).split(new RegExp(`${end} (\\d+)\n`));
    const walked = chosen.map((_, index) => {
      return { out: parts[2 * index] ?? "", status: Number(parts[2 * index + 1] ?? -1) };
    });
    const failed = walked.findIndex(({ status }) => status !== 0);
    assertEquals(failed, -1, `${chosen[failed]}: ${walked[failed]?.out}${decoder.decode(stderr)}`);
    return walked;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function outOf(walked: { out: string }[], chosen: readonly string[], start: string): string {
  return walked[chosen.findIndex((line) => line.startsWith(start))]!.out;
}

Deno.test("README's tour does what it says, but for the line that mounts", async () => {
  const chosen = lines.filter((line) => !line.includes("cairn mount"));
  assertEquals(lines.length - chosen.length, 1);
  const walked = await walk(chosen);
  assertMatch(outOf(walked, chosen, "cairn ls"), /^-rw-r--r-- 1 \d+ \d+ 18 \S+ todo\.txt$/m);
  assertEquals(outOf(walked, chosen, "cairn cat"), "Remember the milk\n");
  assertMatch(outOf(walked, chosen, "cairn import"), /^1 file, 1 directory, 18 bytes$/m);
  assertMatch(outOf(walked, chosen, "cairn check"), /^clean: 1 file/m);
});

Deno.test({
  name: "README's tour does what it says, with the line that mounts: Linux, root and /dev/fuse",
  ignore: !canMount(),
  async fn() {
    const walked = await walk(lines);
    assertMatch(outOf(walked, lines, "mkdir mnt"), /^Remember the milk$/m);
    assertMatch(outOf(walked, lines, "cairn check"), /^clean: 1 file/m);
  },
});
