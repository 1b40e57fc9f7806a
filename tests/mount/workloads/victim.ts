/**
 * One workload in a process of its own, where the server will be killed under it: `NAME DIRECTORY
 * HOST`. The process is ended with all that it started, whatever they wait for.
 */
import { PROGRAMS } from "./programs.ts";
import { outsideOf, type Site } from "./workload.ts";

const [name = "", directory = "", host = ""] = Deno.args;
const workload = PROGRAMS.find((one) => one.name === name);
if (workload === undefined) throw new Error(`there is no workload "${name}"`);
const folder = host;
const site = { folder, directory, host, image: "", outside: outsideOf(workload), scale: 1 };
await workload.run(site as unknown as Site);
