/**
 * Firefox as a user starts it: no automation session, a page that fetches its jobs from the test.
 *
 * Why: while a WebDriver BiDi session is open, Firefox ESR 153 now and then never returns from
 * `new Worker(…)` inside a worker; a page of two nested workers and nothing else hangs after some
 * hundred loads on a busy machine, and never without a session. So what nests workers runs here,
 * and everything else under puppeteer.
 *
 * Use: `const firefox = await startPlainFirefox(path)`, then it is a `Driver`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { hostCommand } from "../../tools/programs.ts";
import { answer } from "../../tools/serve.ts";
import { inWorker } from "./volume_scenarios.ts";
import type { Driver } from "./volume_suite.ts";

/** What a page is to do next. */
type Job = { goto: string } | { source: string; argument: unknown };

/** What a page says when it asks for its next job. */
interface Said {
  value?: unknown;
  error?: string;
}

/** A driver to be ended. */
export interface PlainFirefox extends Driver {
  /** Ends the browser. */
  close(): Promise<void>;
}

/** Longest time for one job: a browser that says nothing for so long has hung. */
const JOB_TIMEOUT_MS = 180_000;

/** Runs in the page, as text. */
async function obey(): Promise<void> {
  let said: Said = {};
  for (;;) {
    const answer = await fetch("/next-job", { method: "POST", body: JSON.stringify(said) });
    const job = await answer.json() as Job;
    if ("goto" in job) return void (location.href = job.goto);
    try {
      said = { value: await (0, eval)(`(${job.source})`)(job.argument) };
    } catch (error) {
      said = { error: `${error}\n${(error as Error)?.stack}` };
    }
  }
}

const PAGE = `<!doctype html><script type="module">(${obey})();</script>\n`;

/** The test's end of the conversation with the page. */
class Desk {
  #waiting: ServerResponse | null = null;
  #said = Promise.withResolvers<Said>();

  /** The page asks for a job, and says what came of the last one. */
  async arrive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: string[] = [];
    for await (const piece of request) pieces.push(String(piece));
    this.#waiting = response;
    this.#said.resolve(JSON.parse(pieces.join("")) as Said);
  }

  /** Gives the page a job; what it says when it comes for the next. */
  async give(job: Job | null): Promise<Said> {
    if (job !== null) {
      this.#said = Promise.withResolvers<Said>();
      this.#waiting?.setHeader("Content-Type", "application/json").end(JSON.stringify(job));
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const fail = (): void => reject(new Error(`Firefox was silent for ${JOB_TIMEOUT_MS} ms`));
      timer = setTimeout(fail, JOB_TIMEOUT_MS);
    });
    return await Promise.race([this.#said.promise, late]).finally(() => clearTimeout(timer));
  }

  /** Forgets the page of a browser that has ended. */
  reset(): void {
    this.#said = Promise.withResolvers<Said>();
    this.#waiting = null;
  }
}

/** Every page is the obedient one; everything else comes from the checkout. */
async function serve(
  desk: Desk,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = request.url ?? "/";
  if (target === "/next-job") return await desk.arrive(request, response);
  const { status, headers, body } = await answer(target);
  response.writeHead(status, headers).end(/blank\.html/.test(target) ? PAGE : body);
}

/** Starts the program at `path` on a profile of its own. */
export async function startPlainFirefox(path: string): Promise<PlainFirefox> {
  const desk = new Desk();
  const server = createServer((request, response) => void serve(desk, request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const profile = Deno.makeTempDirSync();
  const args = ["--profile", profile, "--no-remote", "--headless", `${origin}/blank.html`];
  let child: Deno.ChildProcess;
  const start = async (): Promise<void> => {
    desk.reset();
    child = hostCommand(path, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
    await desk.give(null);
  };
  const end = async (): Promise<void> => {
    child.kill("SIGTERM");
    await child.status;
  };
  const run = async (source: string, argument: unknown): Promise<unknown> => {
    const { value, error } = await desk.give({ source, argument });
    if (error !== undefined) throw new Error(error);
    return value;
  };
  await start();
  return {
    goto: async (target) => void await desk.give({ goto: target }),
    run: (where, what, scene) => {
      const isPage = where === "page";
      const argument = isPage ? scene : { source: what.toString(), scene };
      return run(String(isPage ? what : inWorker), argument) as Promise<never>;
    },
    restart: async () => {
      await end();
      await start();
    },
    allowPersist: () => Promise.reject(new Error("this Firefox asks its user")),
    note: () => Promise.resolve(),
    close: async () => {
      await end();
      server.close();
      server.closeAllConnections();
      Deno.removeSync(profile, { recursive: true });
    },
  };
}
