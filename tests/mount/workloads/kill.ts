/**
 * The server is killed with SIGKILL in the middle of work, again and again on one image. Each time
 * the image has to open with every file that was synced, whole; nothing else may be broken.
 */
import { assertEquals } from "@std/assert";
import { check, run, Server } from "../mounted.ts";
import { must, numbers, type Site, type Workload } from "./workload.ts";

const ROUNDS = 20;
/** Runs in a process of its own: it hangs for a moment when the mount dies under it. */
const WRITER = new URL("./writer.ts", import.meta.url).pathname;

/** Ends when the mount does: the folder is in the volume, and not under the mount on the host. */
const NOISE = 'mkdir -p "$0/noise" || exit; ' +
  'while tar -C /usr/include -cf - . | tar -C "$0/noise" -xf -; do :; done';

/** 20 kills. */
export const killWorkload: Workload = {
  name: "kill -9",
  programs: ["umount", "tar", "sh", "sha256sum"],
  asRoot: true,
  mountsItself: true,
  async run(site) {
    const random = numbers(20);
    const synced = new Map<string, string>();
    for (let round = 0; round < ROUNDS * site.scale; round++) {
      const afterMs = 50 + random.next().value % 1500;
      for (const [name, sum] of await killOnce(site, { round, afterMs })) synced.set(name, sum);
      await verify(site, synced, round);
    }
    const last = await Server.start(site.image, site.directory);
    await last.unmount().finally(() => last.kill());
    return `${ROUNDS * site.scale} kills, ${synced.size} synced files, all there and whole`;
  },
};

interface Round {
  round: number;
  afterMs: number;
}

/** Names and checksums of what was synced before the server was killed. */
async function killOnce(
  { image, directory, host }: Site,
  { round, afterMs }: Round,
): Promise<Map<string, string>> {
  const server = await Server.start(image, directory);
  const noise = run(["sh", "-c", NOISE, directory], { cwd: "/" });
  const log = `${host}/log.${round}`;
  const writer = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", WRITER, directory, log, String(round)],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await new Promise((resolve) => setTimeout(resolve, afterMs + 300));
  await server.kill();
  await run(["umount", "-l", directory]);
  await writer.status;
  await noise;
  const lines = Deno.readTextFileSync(log).split("\n").filter((line) => line.endsWith("."));
  return new Map(lines.map((line) => {
    const [name = "", sum = ""] = line.slice(0, -1).split(" ");
    return [name, sum];
  }));
}

async function verify(
  { image, directory }: Site,
  synced: ReadonlyMap<string, string>,
  round: number,
): Promise<void> {
  assertEquals(check(image).violations, [], `round ${round}: right after the kill`);
  const server = await Server.start(image, directory, { flags: ["--read-only"] });
  try {
    for (const [name, sum] of synced) {
      const output = await must(["sha256sum", `${directory}/${name}`]);
      assertEquals(output.split(" ")[0], sum, `round ${round}: ${name}`);
    }
    await server.unmount();
  } finally {
    await server.kill();
  }
}
