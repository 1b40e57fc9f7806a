/**
 * How fast a mount is, beside the host's own filesystem at the same time: numbers to look at, and no
 * bound that a busy machine could miss. What was written is read back after another mount, and compared.
 */
import { Server } from "../mounted.ts";
import { must, type Workload } from "./workload.ts";

/** Runs in a process of its own: nothing may be in the way of the server. */
const SCRIPT = new URL("./speed_process.ts", import.meta.url).pathname;

/** Creates, small and large writes, renames, reads and removes; each as "mount (host)". */
export const speedWorkload: Workload = {
  name: "speed",
  programs: [],
  mountsItself: true,
  async run({ image, directory, host, scale }) {
    const lines: string[] = [];
    for (const part of ["write", "read"]) {
      const server = await Server.start(image, directory);
      try {
        const there = await measure(part, directory, scale);
        const here = await measure(part, host, scale);
        for (const [name, perSecond] of there) {
          lines.push(`${name} ${Math.round(perSecond)}/s (${Math.round(here.get(name)!)})`);
        }
        await server.unmount();
      } finally {
        await server.kill();
      }
    }
    return `${lines.join(", ")}; the host's own in brackets`;
  },
};

async function measure(part: string, folder: string, scale: number): Promise<Map<string, number>> {
  const args = ["run", "-A", "--quiet", "--no-check", SCRIPT, part, folder, String(scale)];
  return new Map(JSON.parse(await must([Deno.execPath(), ...args], { limitMs: 3_600_000 })));
}
