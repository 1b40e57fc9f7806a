/**
 * The suite in a page: the session lives there, over a relay to a volume of the browser's own file
 * system, and each command of the scripts is sent to it.
 *
 * Use: `--backend page` for Chromium, `--backend page-firefox`.
 *
 * @module
 */
import { browserPath } from "../needs.ts";
import type { BackendUnderTest } from "./backends.ts";
import type { SessionStats, SessionUnderTest } from "./session.ts";

/** What is asked of a page: to run a function there. */
export interface PageUnderTest {
  /** Runs a function in the page, which sees nothing of here. */
  evaluate<A extends unknown[], T>(work: (...args: A) => T | Promise<T>, ...args: A): Promise<T>;
  /** Ends the browser. */
  close(): Promise<void>;
}

/** The end of the conversation that is in the page; `tests/browser/pjdfstest_page.ts` puts it there. */
interface Driver {
  reset(worker: string): Promise<void>;
  run(cwd: string, words: string[]): { status: number; output: string; stats: SessionStats };
  close(): Promise<void>;
}

declare const pjdfstest: Driver;

/** A session whose file system is in a page. */
class PageSession implements SessionUnderTest {
  stats: SessionStats = { calls: 0, exceptions: {}, faulted: false };
  readonly #page: PageUnderTest;

  constructor(page: PageUnderTest) {
    this.#page = page;
  }

  async run(cwd: string, words: readonly string[]): Promise<[status: number, output: string]> {
    const answer = await this.#page.evaluate(
      (at: string, asked: string[]) => {
        return pjdfstest.run(at, asked);
      },
      cwd,
      [...words],
    );
    this.stats = answer.stats;
    return [answer.status, answer.output];
  }
}

/** The suite on whatever `open` opens; `worker` is the program of the volume's thread. */
export function pageBackend(
  name: string,
  open: () => Promise<{ page: PageUnderTest; worker: string }>,
): BackendUnderTest {
  let opened: ReturnType<typeof open> | null = null;
  return {
    name,
    maxJobs: 1, // one page, one volume
    async make() {
      const { page, worker } = await (opened ??= open());
      await page.evaluate((program: string) => pjdfstest.reset(program), worker);
      return { session: new PageSession(page) };
    },
    async dispose() {
      const { page } = await (opened ?? Promise.resolve({ page: null }));
      await page?.evaluate(() => pjdfstest.close());
      await page?.close();
    },
  };
}

/** A browser of this machine on a page that may share memory, with the driver in it. */
async function openBrowser(name: "Chromium" | "Firefox") {
  const puppeteer = await import("puppeteer-core");
  const { bundle } = await import("../build.ts");
  const { startServer } = await import("../serve.ts");
  const server = await startServer({ port: 0 });
  const browser = await puppeteer.launch({
    browser: name === "Firefox" ? "firefox" : "chrome",
    args: name === "Firefox" ? [] : ["--no-sandbox", "--disable-gpu"],
    executablePath: browserPath(name),
    headless: true,
  });
  const page = await browser.newPage();
  await page.goto(`${server.origin}/blank.html`);
  await page.evaluate(await bundle("tests/browser/pjdfstest_page.ts", "iife"));
  const close = async (): Promise<void> => {
    await browser.close();
    await server.close();
  };
  const evaluate = page.evaluate.bind(page) as PageUnderTest["evaluate"];
  const worker = await bundle("tests/support/volume_relay_worker.ts", "iife");
  return { page: { evaluate, close }, worker };
}

/** Backends by the word after `--backend`. */
export const PAGE_BACKENDS: Readonly<Record<string, BackendUnderTest>> = {
  page: pageBackend("VOLUMEFS, relayed to a page of Chromium", () => openBrowser("Chromium")),
  "page-firefox": pageBackend(
    "VOLUMEFS, relayed to a page of Firefox",
    () => openBrowser("Firefox"),
  ),
};
