/**
 * The one owner of installing. Looks for what tools/needs.ts lists; as root on Debian, or in CI by
 * sudo, it installs what is missing, elsewhere it says how.
 *
 * The runner (tools/test.ts) calls `prepare` and fails, by name, each suite whose tools are still
 * missing. `deno task setup` does the same by hand. Silent when everything is there.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { BASE, findMissing, findProgram, type Tool, TOOLS, whyMisled } from "./needs.ts";

/** What the decision depends on. */
export interface Machine {
  /** Debian's installer is there. */
  hasApt: boolean;
  /** We may run it as we are. */
  isRoot: boolean;
  /** A hired machine, where sudo asks for no password. */
  isCi: boolean;
}

/** The commands that install the tools; null where that is not ours to do. */
export function planInstall(missing: readonly Tool[], machine: Machine): string[][] | null {
  if (!machine.hasApt || (!machine.isRoot && !machine.isCi)) return null;
  const rights = machine.isRoot ? [] : ["sudo"];
  const apt = [...rights, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"];
  const packages = packagesOf(missing);
  return [
    [...apt, "update"],
    [...apt, "install", "-y", "--no-install-recommends", ...packages],
  ];
}

/** The one line that a person can run. */
export function aptLine(missing: readonly Tool[]): string {
  return `sudo apt-get install --no-install-recommends ${packagesOf(missing).join(" ")}`;
}

/** Each once: a package may bring several programs. */
function packagesOf(tools: readonly Tool[]): string[] {
  return [...new Set(tools.map((tool) => tool.package))];
}

/** Installs what is missing where it may; gives back what is missing still. */
export function prepare(tools: readonly Tool[] = TOOLS): Tool[] {
  const strayed = findMissing(tools).filter((tool) => whyMisled(tool) !== null);
  for (const tool of strayed) console.log(`cannot find ${tool.name}: ${whyMisled(tool)}`);
  return [...strayed, ...install(findMissing(tools).filter((tool) => !strayed.includes(tool)))];
}

/** Installs the tools where that is ours to do; gives back what is missing still. */
function install(missing: Tool[]): Tool[] {
  if (missing.length === 0) return [];
  const plan = planInstall(missing, lookAround()) ?? [];
  for (const command of plan) {
    console.log(`running ${command.join(" ")}`);
    const [program = "", ...args] = command;
    spawnSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  }
  const left = plan.length === 0 ? missing : findMissing(missing);
  if (left.length > 0) console.log(`Please install what is missing:\n  ${aptLine(left)}`);
  return left;
}

function lookAround(): Machine {
  return {
    hasApt: findProgram({ commands: ["apt-get"] }) !== null,
    isRoot: process.getuid?.() === 0,
    isCi: (process.env.CI ?? "") !== "",
  };
}

/** The programs that every Debian should have and this machine has not. */
export function findLostBase(): string[] {
  return Object.values(BASE).flat().filter((name) => findProgram({ commands: [name] }) === null);
}

/** `--base` installs nothing: it says whether tools/needs.ts is right about a fresh machine. */
function main([option]: readonly string[]): void {
  const lost = option === "--base" ? findLostBase() : [];
  if (lost.length > 0) console.log(`not in this Debian, but in BASE: ${lost.join(", ")}`);
  const left = option === "--base" ? lost : prepare();
  if (left.length > 0) Deno.exit(1);
}

if (import.meta.main) main(Deno.args);
