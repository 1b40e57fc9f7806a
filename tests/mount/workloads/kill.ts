/**
 * The server is killed with SIGKILL at random moments, in the middle of each workload and of a witness
 * that syncs, again and again on one image. Each time the image has to be sound as it is, and to open
 * with everything that was synced, by this witness and by all before.
 */
import { assertEquals } from "@std/assert";
import { check, run, Server } from "../mounted.ts";
import { PROGRAMS } from "./programs.ts";
import { verifyTestimony } from "./testimony.ts";
import { numbers, type Site, whyNot, type Workload } from "./workload.ts";
import { hostCommand } from "../../../tools/programs.ts";

const ROUNDS = 20;
const VICTIM = new URL("./victim.ts", import.meta.url).pathname;
const WITNESS = new URL("./witness.ts", import.meta.url).pathname;
/** How long a process may take to get going, and how long it may work before the kill. */
const START_MS = 700;
const WORK_MS = 7_000;

/** 20 kills, and at least two of each workload. */
export const killWorkload: Workload = {
  name: "kill -9",
  programs: ["umount", "setsid", "sh", "kill"],
  asRoot: true,
  mountsItself: true,
  async run(site) {
    const victims = PROGRAMS.filter((one) => one.isVictim === true && whyNot(one) === null);
    const rounds = Math.max(ROUNDS, victims.length * 2) * site.scale;
    const seed = Number(Deno.env.get("CAIRN_SEED") ?? Date.now() % 1_000_000);
    const random = numbers(seed);
    Deno.chmodSync(site.folder, 0o755);
    console.log(`     kill -9: CAIRN_SEED=${seed}, ${rounds} rounds`);
    let synced = 0;
    for (let index = 0; index < rounds; index++) {
      const afterMs = START_MS + random.next().value % WORK_MS;
      const victim = victims[index % victims.length]!;
      const round = { index, victim, afterMs, seed: random.next().value };
      await killOnce(site, round);
      synced = await verify(site, round);
      const what = `killed after ${afterMs} ms in "${victim.name}"`;
      console.log(`     round ${index}: ${what}; clean; ${synced} synced things so far, all there`);
    }
    const names = [...new Set(victims.map((one) => one.name))].join(", ");
    return `${rounds} kills in ${names}; ${synced} synced things, all there and whole`;
  },
};

interface Round {
  index: number;
  victim: Workload;
  afterMs: number;
  seed: number;
}

/** Where a round works: in the volume, and on the host. */
function placesOf({ directory, host }: Site, index: number): { inside: string; outside: string } {
  return { inside: `${directory}/round.${index}`, outside: `${host}/round.${index}` };
}

async function killOnce(site: Site, { index, victim, afterMs, seed }: Round): Promise<void> {
  const { inside, outside } = placesOf(site, index);
  const server = await Server.start(site.image, site.directory, { flags: victim.flags });
  Deno.mkdirSync(inside);
  Deno.chmodSync(inside, 0o755);
  Deno.mkdirSync(outside);
  const groups = [
    startGroup([VICTIM, victim.name, inside, outside]),
    startGroup([WITNESS, `${inside}/witness`, `${outside}/log`, String(seed)]),
  ];
  const killedAt = performance.now() + afterMs;
  const failures = groups.map(async (group) => {
    const { code } = await group.status;
    return code !== 0 && performance.now() < killedAt;
  });
  await run(["sh", "-c", `sleep ${afterMs / 1000}; kill -KILL ${server.pid}`]);
  await server.kill();
  await run(["umount", "-l", site.directory]);
  for (const group of groups) await endGroup(group);
  const hasFailed = (await Promise.all(failures)).includes(true);
  assertEquals(
    hasFailed,
    false,
    `round ${index}: "${victim.name}" or the witness failed by itself`,
  );
}

/** A script in a process group of its own. */
function startGroup(args: readonly string[]): Deno.ChildProcess {
  return hostCommand("setsid", {
    args: [Deno.execPath(), "run", "-A", "--quiet", "--no-check", ...args],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    cwd: "/",
  }).spawn();
}

async function endGroup(child: Deno.ChildProcess): Promise<void> {
  await run(["kill", "-KILL", "--", `-${child.pid}`]);
  await child.status;
}

/** Looks at the image, then through a mount at all that was ever synced; returns how much it was. */
async function verify(site: Site, { index, victim }: Round): Promise<number> {
  assertEquals(check(site.image).violations, [], `round ${index}: right after the kill`);
  const server = await Server.start(site.image, site.directory);
  try {
    let synced = 0;
    for (let each = 0; each <= index; each++) {
      const { inside, outside } = placesOf(site, each);
      synced += verifyTestimony(`${inside}/witness`, `${outside}/log`);
    }
    await victim.verifyKilled?.(placesOf(site, index).inside);
    await server.unmount();
    return synced;
  } finally {
    await server.kill();
  }
}
