/**
 * The long mount suite: `deno task test:mount [NAME...] [--scale N]`.
 *
 * Runs programs that people trust their files with on a mounted volume, each on a fresh image that has
 * to be clean afterwards, and prints what ran, what failed, and what could not run and why. Some come
 * from outside: variables say where they are (`CAIRN_PJDFSTEST`, `CAIRN_FSX`, `CAIRN_FSSTRESS`,
 * `CAIRN_LUA`). `CAIRN_SEED` repeats the random moments of the kills. Ends with 1 if something
 * failed. Leaves no mount and no process.
 */
import { parseArgs } from "node:util";
import { isNeeded, TOOLS } from "../../tools/needs.ts";
import { prepare } from "../../tools/setup.ts";
import { assertClean, Server, withPlace } from "./mounted.ts";
import { killWorkload } from "./workloads/kill.ts";
import { PROGRAMS } from "./workloads/programs.ts";
import { speedWorkload } from "./workloads/speed.ts";
import { userWorkload } from "./workloads/user.ts";
import { outsideOf, type Site, whyNot, type Workload } from "./workloads/workload.ts";

const WORKLOADS: readonly Workload[] = [...PROGRAMS, userWorkload, speedWorkload, killWorkload];

async function runOne(workload: Workload, scale: number): Promise<string> {
  let done = "";
  await withPlace(async (place) => {
    const host = `${place.folder}/host`;
    Deno.mkdirSync(host);
    const site = { ...place, host, outside: outsideOf(workload), scale } as Site;
    done = workload.mountsItself === true
      ? await workload.run(site)
      : await runMounted(workload, site);
    assertClean(place.image);
  });
  return done;
}

async function runMounted(workload: Workload, site: Site): Promise<string> {
  const { flags } = workload;
  const server = await Server.start(site.image, site.directory, { flags });
  try {
    const done = await workload.run({ ...site, server });
    await server.unmount();
    return done;
  } finally {
    await server.kill();
  }
}

/** Prints the line of a workload; says whether it ran, failed, or could not run. */
async function report(workload: Workload, scale: number): Promise<"ran" | "failed" | "left"> {
  const reason = whyNot(workload);
  if (reason !== null) {
    console.log(`--   ${workload.name}: not run: ${reason}`);
    return "left";
  }
  const started = performance.now();
  const seconds = (): string => ((performance.now() - started) / 1000).toFixed(1);
  try {
    const done = await runOne(workload, scale);
    console.log(`ok   ${workload.name} (${seconds()} s): ${done}; clean`);
    return "ran";
  } catch (error) {
    console.log(`FAIL ${workload.name} (${seconds()} s): ${error}`);
    return "failed";
  }
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    options: { scale: { type: "string", default: "1" } },
    allowPositionals: true,
  });
  const scale = Number(values.scale);
  if (!(Number.isInteger(scale) && scale > 0)) throw new Error(`--scale is "${values.scale}"`);
  const unknown = positionals.find((name) => !WORKLOADS.some((one) => one.name === name));
  if (unknown !== undefined) {
    const known = WORKLOADS.map((one) => `"${one.name}"`).join(", ");
    throw new Error(`there is no workload "${unknown}", but ${known}`);
  }
  const chosen = WORKLOADS.filter((one) =>
    positionals.length === 0 || positionals.includes(one.name)
  );
  prepare(TOOLS.filter((tool) => isNeeded(tool, "mount") || isNeeded(tool, "test:mount")));
  const counts = { ran: 0, failed: 0, left: 0 };
  for (const workload of chosen) counts[await report(workload, scale)]++;
  console.log(`${counts.ran} ran, ${counts.failed} failed, ${counts.left} could not run`);
  Deno.exitCode = counts.failed > 0 ? 1 : 0;
}

if (import.meta.main) await main(Deno.args);
