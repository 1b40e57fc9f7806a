/**
 * The table of the relay's bench: medians, ratios within each round, and what was asked for.
 *
 * Layer: bench, used by `relay.ts`.
 *
 * @module
 */
import type { Figures } from "./relay_page.ts";

/** How many times faster than the peer, called from a worker in Chromium, a row has to be. */
const GOALS: Readonly<Record<string, number>> = {
  "create+write+close 1 KiB": 4,
  "stat": 1.8,
  "stat, 10 levels": 2.5,
  "open+read+close 1 KiB": 1.5,
  "readdir of 1,000": 5,
  "overwrite 1 KiB": 3,
  "rename": 4,
  "unlink": 4,
  "append 4 KiB": 75,
  "two files grown in turns, 4 KiB": 40,
  "random 4 KiB write": 5,
  "random 4 KiB read": 4,
  "64 B write": 8,
  "64 B read": 5,
  "sequential 128 KiB write": 30,
  "sequential 128 KiB read": 12,
  "rename a directory of 10,000, ms": 200,
  "durable create": 1.8,
  "durable overwrite": 1.5,
  "durable rename": 1.5,
  "durable unlink": 1.4,
  "durable append 4 KiB": 5,
  "durable random 4 KiB": 1.4,
};
/** How much of the raw handle's speed has to be left. */
const SHARES: Readonly<Record<string, number>> = {
  "sequential 128 KiB write": 0.65,
  "sequential 128 KiB read": 0.35,
};

function median(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  return known[Math.floor(known.length / 2)] ?? NaN;
}

function show(value: number): string {
  return Number.isNaN(value) ? "" : value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

function line(cells: readonly string[]): void {
  const widths = [32, 9, 9, 9, 9, 9, 6, 8, 9];
  console.log(
    cells.map((cell, at) => at === 0 ? cell.padEnd(32) : cell.padStart(widths[at]!)).join(""),
  );
}

/** Prints one table; "cold" is the ratio to the peer when both begin. */
export function tell(title: string, runs: readonly Figures[]): void {
  const of = (who: string, row: string): number[] => runs.map((run) => run[who]?.[row] ?? NaN);
  const ratio = (who: string, row: string, to = "cairn"): number => {
    const ours = of(to, row);
    return median(of(who, row).map((value, round) => value / ours[round]!));
  };
  const pings = of("floor", "bare ping");
  console.log(`\n${title}`);
  line(["µs a call", "cairn", "least", "/ ping", "peer", "peer/us", "goal", "", "cold"]);
  for (const row of Object.keys(runs[0]?.cairn ?? {})) {
    const ours = of("cairn", row);
    const toPing = median(ours.map((value, round) => value / pings[round]!));
    const goal = GOALS[row];
    const times = ratio("peer", row);
    const verdict = goal === undefined || Number.isNaN(times)
      ? ""
      : times >= goal
      ? "met"
      : "MISSED";
    const cells = [median(ours), Math.min(...ours), toPing, median(of("peer", row)), times];
    const cold = ratio("cold peer", row, "cold cairn");
    line([row, ...cells.map(show), goal === undefined ? "" : `${goal}`, verdict, show(cold)]);
  }
  for (const [row, share] of Object.entries(SHARES)) {
    const is = ratio("floor", row);
    line([`${row}, share`, show(is), "", "", "", "", `${share}`, is >= share ? "met" : "MISSED"]);
  }
  const one = of("cairn", "durable op, 1 client");
  const gain = median(
    of("cairn", "durable op, 4 clients").map((four, round) => one[round]! / four),
  );
  line([
    "4 clients, times the rate of 1",
    show(gain),
    "",
    "",
    "",
    "",
    "2.5",
    Number.isNaN(gain) ? "" : gain >= 2.5 ? "met" : "MISSED",
  ]);
  line(["bare ping", show(median(pings)), show(Math.min(...pings))]);
  line(["bare ping, again", show(median(of("floor", "bare ping, again")))]);
}
