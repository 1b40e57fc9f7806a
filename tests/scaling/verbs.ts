/** Every verb of the command line on an image with so many files, and with four times as many. */
import { main } from "../../cli/main.ts";
import { fileHandle } from "../../opfs/device/file.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { StepCounter } from "./steps.ts";

/** Verbs without a row, and why. */
export const WITHOUT_VERBS: Readonly<Record<string, string>> = {
  bench: "measures by itself",
  mount: "serves a kernel until it is unmounted",
  upgrade: "does nothing to an image of today; for an old one it is an import, which has a row",
  version: "prints one line",
};

const COUNT = 150;

/** Words of each verb; IMAGE is the image, HOST a folder beside it with the same tree. */
export const VERB_ROWS: readonly (readonly string[])[] = [
  ["mkfs", "--force", "HOST/fresh"],
  ["info", "IMAGE"],
  ["ls", "-l", "IMAGE", "/d"],
  ["tree", "IMAGE"],
  ["stat", "IMAGE", "/d/f1"],
  ["cat", "IMAGE", "/large"],
  ["get", "IMAGE", "/large", "HOST/large"],
  ["put", "IMAGE", "HOST/large", "/put"],
  ["cp", "-r", "IMAGE:/d", "HOST/copied"],
  ["import", "--force", "HOST/copied", "HOST/imported"],
  ["export", "IMAGE", "HOST/out.tar"],
  ["find", "IMAGE"],
  ["du", "IMAGE"],
  ["df", "IMAGE"],
  ["check", "IMAGE"],
  ["dump", "IMAGE"],
  ["mkdir", "IMAGE", "/new"],
  ["touch", "IMAGE", "/d/f1"],
  ["chmod", "-R", "IMAGE", "755", "/d"],
  ["chown", "-R", "IMAGE", "0:0", "/d"],
  ["truncate", "-s", "5", "IMAGE", "/d/f1"],
  ["ln", "-s", "IMAGE", "f1", "/d/link"],
  ["mv", "IMAGE", "/d", "/moved"],
  ["rm", "-r", "IMAGE", "/moved"],
  ["compact", "IMAGE"],
];

function makeImage(path: string, count: number): void {
  const volume = openVolumeSync(fileHandle(path));
  const owner = { uid: 0, gid: 0 };
  const directory = volume.create(volume.root, "d", { mode: 0o040755, ...owner });
  for (let index = 0; index < count; index++) {
    const file = volume.create(directory, `f${index}`, { mode: 0o100644, ...owner });
    volume.write(file, new Uint8Array(5000), 0);
  }
  const large = volume.create(volume.root, "large", { mode: 0o100644, ...owner });
  volume.write(large, new Uint8Array(count * 10_000), 0);
  volume.close();
}

/** The steps of each verb at both sizes; a verb that fails is an error. */
export async function measureVerbs(
  counter: StepCounter,
): Promise<{ name: string; small: number; large: number }[]> {
  const folder = Deno.makeTempDirSync({ prefix: "cairn_scaling_" });
  const counts = [COUNT, 4 * COUNT];
  const steps = VERB_ROWS.map(() => [] as number[]);
  try {
    for (const [size, count] of counts.entries()) {
      const host = `${folder}/${size}`;
      Deno.mkdirSync(host);
      makeImage(`${host}/image`, count);
      for (const [row, words] of VERB_ROWS.entries()) {
        const line = words.map((word) =>
          word.replace("HOST", host).replace("IMAGE", `${host}/image`)
        );
        steps[row]!.push(await counter.count(() => runLine(line)));
      }
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  return VERB_ROWS.map(([name = ""], row) => {
    const [small = 0, large = 0] = steps[row]!;
    return { name, small, large };
  });
}

async function runLine(line: string[]): Promise<void> {
  let said = "";
  const nothing = (): void => {};
  const terminal = { print: nothing, write: nothing, show: nothing, flush: nothing };
  const status = await main(line, { ...terminal, say: (text) => void (said += text) });
  if (status !== 0) throw new Error(`cairn ${line.join(" ")} ended with ${status}: ${said}`);
}
