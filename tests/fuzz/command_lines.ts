/**
 * Runs command lines with words that no one would write, in a process of its own: a word without a slash
 * is a file of the current folder, which is the one that it is started in.
 *
 * Layer: tests. Started by `command_line_test.ts`: `deno run -A command_lines.ts LINES FOLDER`. Says
 * which line ended as none may, and fails.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { main } from "../../cli/main.ts";
import { fileHandle } from "../../opfs/device/file.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { prng } from "../support/prng.ts";
import { Hostile } from "./hostile_values.ts";

const VERBS = [
  ...["mkfs", "info", "ls", "stat", "tree", "cat", "put", "get", "cp", "mkdir", "rm", "mv", "ln"],
  ...["chmod", "chown", "touch", "truncate", "find", "du", "df", "check", "compact", "dump"],
  ...["import", "export", "upgrade", "version", "help", "nothing"],
];
const OPTIONS = [
  ...["--label", "--size", "--inodes", "--block-size", "--journal", "-l", "-a", "-R", "-h", "-s"],
  ...["--name", "--size=1", "--type", "--max-depth", "--offset", "--length", "--svg", "--blocks"],
  ...[
    "--repair",
    "--json",
    "--force",
    "--replace",
    "-p",
    "-r",
    "-f",
    "-n",
    "--",
    "--x=y",
    "--owner",
  ],
];
const FOREIGN = /\b(InvariantError|TypeError|RangeError|ReferenceError|SyntaxError|URIError)\b/;

/** Words for one line; nothing in them leads out of the folder, or waits for input. */
function lineOf(hostile: Hostile, folder: string): string[] {
  const { random } = hostile;
  const number = (): string => {
    const text = String(hostile.number());
    return `${text}${random.pick(["", "", "K", "G", "P", "x", "%", ":5"])}`;
  };
  const name = (): string => hostile.name().slice(0, 300).replaceAll("\0", "0").replace(/^-$/, "a");
  const image = (): string => `${folder}/${random.pick(["image", "image", "missing", "text"])}`;
  const word = (): string =>
    random.pick([
      image,
      () => `${image()}:/${name()}`,
      () => `/${name()}`,
      () => random.pick(OPTIONS),
      () => `${random.pick(OPTIONS)}=${number()}`,
      number,
      () => `${folder}/out-${random.below(3)}`,
    ])();
  const words = Array.from({ length: random.below(6) }, word)
    // What is no place in the folder would be one on this machine.
    .map((each) => each.startsWith("/") && !each.startsWith(folder) ? `/in${each}` : each);
  return [random.pick(VERBS), image(), ...words, "--debug"];
}

/** An image with something in it, if it is not there. */
function freshen(image: string): void {
  const volume = openVolumeSync(fileHandle(image));
  const file = { mode: 0o100644, uid: 0, gid: 0 };
  if (volume.lookup(volume.root, "a") === 0) {
    volume.write(volume.create(volume.root, "a", file), new Uint8Array(9000), 0);
    volume.create(volume.root, "b", { ...file, mode: 0o040755 });
  }
  volume.close();
}

async function runLines(count: number, folder: string): Promise<void> {
  Deno.writeTextFileSync(`${folder}/text`, "no volume ".repeat(3000));
  for (let seed = 1; seed <= count; seed++) {
    if (seed % 20 === 1) freshen(`${folder}/image`);
    const line = lineOf(new Hostile(prng(seed + 17_000)), folder);
    let said = "";
    const status = await main(line, {
      print: () => {},
      write: () => {},
      say: (text) => void (said += `${text}\n`),
      show: () => {},
      flush: () => {},
    });
    const where = `seed ${seed}: ${JSON.stringify(line).slice(0, 400)}: ${said.slice(0, 900)}`;
    assert(!FOREIGN.test(said), where);
    assert([0, 1, 2].includes(status), where);
  }
  assertEquals(checkVolume(fileHandle(`${folder}/image`)).violations, []);
}

const [count, folder] = Deno.args as [string, string];
await runLines(Number(count), folder);
Deno.exit(0);
