/**
 * The workloads that are programs on a mounted volume, in the order in which they run: short ones
 * first. `main.ts` runs them; `victim.ts` runs one of them where the server will be killed.
 */
import { buildWorkload, luaWorkload } from "./build.ts";
import { callsWorkload } from "./calls.ts";
import {
  fioWorkload,
  fsstressWorkload,
  fsxWorkload,
  pjdfstestWorkload,
  stressWorkload,
} from "./exercisers.ts";
import { gitWorkload } from "./git.ts";
import { sqliteWorkload } from "./sqlite.ts";
import { stormWorkload } from "./storm.ts";
import { tarWorkload } from "./tar.ts";
import type { Workload } from "./workload.ts";

/** All of them. */
export const PROGRAMS: readonly Workload[] = [
  callsWorkload,
  gitWorkload,
  sqliteWorkload,
  tarWorkload,
  buildWorkload,
  luaWorkload,
  stormWorkload,
  fioWorkload,
  fsxWorkload,
  fsstressWorkload,
  stressWorkload,
  pjdfstestWorkload,
];
