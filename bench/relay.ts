/**
 * The relay in Chromium and Firefox, called from a worker and from a page that spins, beside a bare
 * round trip over shared memory, the raw handle, and the peer of the same kind, all in one run.
 *
 * Trust the ratios: absolute times move with the machine. Use: `deno run -A bench/relay.ts [rounds]
 * [--scale N] [--only PART_OF_A_ROW] [--mounted FILES] [--chromium | --firefox] [--worker | --page]`.
 * PEER names the module `index.js` of @componentor/fs 4.3.0; without it its columns stay empty.
 * CHROMIUM_BIN and FIREFOX_BIN name the browsers' programs if they are not in the PATH.
 *
 * @module
 */
import * as esbuild from "esbuild";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { loadavg, tmpdir } from "node:os";
import process from "node:process";
import { browserPath } from "../tools/needs.ts";
import { hostCommand } from "../tools/programs.ts";
import type { Figures, Job } from "./relay_page.ts";
import { tell } from "./relay_table.ts";

type Browser = "chromium" | "firefox";

const NAMES = { chromium: "Chromium", firefox: "Firefox" } as const;
const HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};
const PAGE = `<!doctype html><script type="module" src="/program.js"></script>`;
const LONGEST_RUN_MS = 600_000;

/** The workloads as one script. */
async function bundled(): Promise<string> {
  const { outputFiles } = await esbuild.build({
    entryPoints: [new URL("./relay_page.ts", import.meta.url).pathname],
    bundle: true,
    format: "esm",
    logLevel: "silent",
    target: "es2022",
    write: false,
  });
  await esbuild.stop();
  return outputFiles[0]!.text;
}

/**
 * The peer's module. Its wait in a worker takes the first wake for its own, and so reads answers that
 * are not there yet. Chromium mostly forgives it, Firefox does not, so there it waits in a loop.
 */
function peerText(path: string, browser: Browser): string {
  const text = readFileSync(path, "utf8");
  if (browser === "chromium") return text;
  const wait = "Atomics.wait(arr, index, value);";
  if (!text.includes(wait)) throw new Error("The peer's module waits in some other way");
  return text.replace(wait, `while (Atomics.load(arr, index) === value) ${wait}`);
}

/** Gives one page after the other its job. */
class Desk {
  readonly #texts: Record<string, string>;
  readonly #jobs: Job[];
  readonly results: { job: Job; figures: Figures }[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #current: Job | null = null;

  constructor(jobs: readonly Job[], texts: Record<string, string>) {
    this.#jobs = [...jobs];
    this.#texts = texts;
  }

  /** Ends when all jobs are done. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? "/";
    const text = this.#texts[url];
    if (url === "/job") {
      return this.#send(response, "application/json", JSON.stringify(this.#next()));
    }
    if (url === "/figures") this.#take(await bodyOf(request));
    const type = text === undefined ? "text/html" : "text/javascript";
    this.#send(response, type, text ?? PAGE);
  }

  #next(): Job | null {
    this.#current = this.#jobs.shift() ?? null;
    if (this.#current === null) this.#ended.resolve();
    return this.#current;
  }

  #take(said: string): void {
    const { figures, error } = JSON.parse(said) as { figures?: Figures; error?: string };
    if (figures === undefined) return this.#ended.reject(new Error(error));
    this.results.push({ job: this.#current!, figures });
    console.error(`${this.#current!.where}, round ${this.#current!.round}`);
  }

  #send(response: ServerResponse, type: string, body: string): void {
    response.writeHead(200, { ...HEADERS, "Content-Type": type }).end(body);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of request) pieces.push(String(piece));
  return pieces.join("");
}

/** Arguments of a browser without a window, on a profile of its own. */
function argumentsOf(browser: Browser, profile: string, url: string): string[] {
  if (browser === "firefox") return ["--profile", profile, "--no-remote", "--headless", url];
  return [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    `--user-data-dir=${profile}`,
    url,
  ];
}

/** All jobs in one browser. */
async function inBrowser(
  browser: Browser,
  jobs: readonly Job[],
  texts: Record<string, string>,
): Promise<Desk["results"]> {
  const desk = new Desk(jobs, texts);
  const server = createServer((request, response) => void desk.answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as AddressInfo;
  const profile = mkdtempSync(`${tmpdir()}/cairn-bench-`);
  // Firefox asks its user things at the first start of a profile.
  writeFileSync(
    `${profile}/user.js`,
    'user_pref("datareporting.policy.dataSubmissionEnabled", false);\n',
  );
  const url = `http://127.0.0.1:${port}/`;
  const child = hostCommand(browserPath(NAMES[browser]), {
    args: argumentsOf(browser, profile, url),
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const silent = () => reject(new Error(`${browser} said nothing for too long`));
    timer = setTimeout(silent, LONGEST_RUN_MS * jobs.length);
  });
  try {
    await Promise.race([desk.ended, late]);
    return desk.results;
  } finally {
    clearTimeout(timer);
    child.kill("SIGTERM");
    await child.status;
    server.close();
    server.closeAllConnections();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The value after an option, or whether it is there. */
function option(name: string): string | null {
  const at = process.argv.indexOf(name);
  return at < 0 ? null : process.argv[at + 1] ?? "";
}

/** Of two options, those asked for; both if none is. */
function choice<T extends string>(names: readonly T[]): T[] {
  const asked = names.filter((name) => process.argv.includes(`--${name}`));
  return asked.length === 0 ? [...names] : asked;
}

async function main(): Promise<void> {
  const rounds = Number.parseInt(process.argv[2] ?? "") || 3;
  const program = await bundled();
  const path = process.env.PEER;
  const wheres = choice(["worker", "page"] as const);
  for (const browser of choice(["chromium", "firefox"] as const)) {
    const texts: Record<string, string> = { "/program.js": program };
    if (path !== undefined) texts["/peer.js"] = peerText(path, browser);
    const jobs = Array.from({ length: rounds * wheres.length }, (_, index): Job => {
      const round = Math.floor(index / wheres.length);
      return {
        where: wheres[index % wheres.length]!,
        round,
        scale: Number(option("--scale") ?? 1),
        peer: path === undefined ? null : "/peer.js",
        only: option("--only") ?? "",
        mounted: round === 0 ? Number(option("--mounted") ?? 0) : 0,
      };
    });
    const before = loadavg()[0]!;
    const results = await inBrowser(browser, jobs, texts);
    const load = `load ${before.toFixed(1)} to ${loadavg()[0]!.toFixed(1)}`;
    for (const where of wheres) {
      const runs = results.filter(({ job }) => job.where === where).map(({ figures }) => figures);
      tell(`${browser}, called from a ${where}, ${rounds} rounds, ${load}`, runs);
    }
  }
}

if (import.meta.main) await main();
