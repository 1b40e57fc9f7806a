/**
 * Words alone: no command line ends with an error that is not our own. Every verb but those that wait
 * for others (mounts, the bench, a shell) gets options and operands that no one would write.
 */
import { assert, assertEquals } from "@std/assert";
import { main } from "../../cli/main.ts";
import { fileHandle } from "../../opfs/device/file.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { prng } from "../support/prng.ts";
import { Hostile } from "./hostile_values.ts";

const LINES = Deno.env.get("CAIRN_LONG") === "1" ? 8000 : 400;
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

Deno.test("no words on the command line end in an error that is not our own", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${folder}/text`, "no volume ".repeat(3000));
    const fresh = (): void => {
      const volume = openVolumeSync(fileHandle(`${folder}/image`));
      const file = { mode: 0o100644, uid: 0, gid: 0 };
      if (volume.lookup(volume.root, "a") === 0) {
        volume.write(volume.create(volume.root, "a", file), new Uint8Array(9000), 0);
        volume.create(volume.root, "b", { ...file, mode: 0o040755 });
      }
      volume.close();
    };
    for (let seed = 1; seed <= LINES; seed++) {
      if (seed % 20 === 1) fresh();
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
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
