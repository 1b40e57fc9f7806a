/**
 * Words alone: no command line ends with an error that is not our own. Every verb but those that wait
 * for others (mounts, the bench, a shell) gets options and operands that no one would write.
 */
import { assertEquals } from "@std/assert";
import { main } from "../../cli/main.ts";
import { fileHandle } from "../../opfs/device/file.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { hostCommand } from "../../tools/programs.ts";

const LINES = Deno.env.get("CAIRN_LONG") === "1" ? 8000 : 400;
Deno.test("cp refuses a source on the host for a target on the host, beside one in an image too", async () => {
  const folder = Deno.makeTempDirSync();
  const image = `${folder}/image`;
  openVolumeSync(fileHandle(image)).close();
  Deno.writeTextFileSync(`${folder}/text`, "text");
  let said = "";
  const status = await main(["cp", `${folder}/text`, `${image}:/a`, folder], {
    print: () => {},
    write: () => {},
    say: (text) => void (said += text),
    show: () => {},
    flush: () => {},
  });
  assertEquals([status, said.includes("no side is in an image")], [2, true], said);
  Deno.removeSync(folder, { recursive: true });
});

const PROGRAM = new URL("command_lines.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

Deno.test("no words on the command line end in an error that is not our own", () => {
  const folder = Deno.makeTempDirSync();
  const names = (): string[] => [...Deno.readDirSync(".")].map(({ name }) => name).sort();
  const before = names();
  try {
    // Words without a slash are files in here, and nowhere else.
    Deno.mkdirSync(`${folder}/here`);
    const args = ["run", "-A", "--quiet", "--config", CONFIG, PROGRAM, String(LINES), folder];
    const cwd = `${folder}/here`;
    const { code, stderr } = hostCommand(Deno.execPath(), { args, cwd, stdin: "null" })
      .outputSync();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    assertEquals(names(), before);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
