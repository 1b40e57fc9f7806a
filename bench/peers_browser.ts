/**
 * A browser in which stores run, each in a worker of its own: what `peers.ts` drives.
 *
 * @module
 */
import * as esbuild from "esbuild";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as puppeteer from "puppeteer-core";
import { browserPath } from "../tools/needs.ts";
import type { PeerAnswer, PeerJob } from "./peers_worker.ts";

/** A browser by its name. */
export type BrowserName = "Chromium" | "Firefox";

type Launch = Parameters<typeof puppeteer.launch>[0];

const OPTIONS = {
  Chromium: {
    browser: "chrome",
    args: ["--no-sandbox", "--disable-gpu"],
    executablePath: browserPath("Chromium"),
  },
  Firefox: {
    browser: "firefox",
    executablePath: browserPath("Firefox"),
  },
} as const;

/** A subject that has not answered by then hangs. */
const PATIENCE_MS = 120_000;

const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** A browser with an empty page; its store is gone with it. */
export interface Bench {
  /** Sends a job to the worker of that name, which is started if need be. */
  ask(worker: string, job: PeerJob): Promise<PeerAnswer>;
  /** Ends a worker. */
  stop(worker: string): Promise<void>;
  /** Removes everything that the origin has stored. */
  wipe(): Promise<void>;
  /** Ends the browser. */
  close(): Promise<void>;
}

async function bundled(): Promise<string> {
  const { outputFiles } = await esbuild.build({
    entryPoints: [new URL("./peers_worker.ts", import.meta.url).pathname],
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    logLevel: "error",
  });
  await esbuild.stop();
  return outputFiles[0]?.text ?? "";
}

/** Serves the page, the worker, and the peer's files from a folder. */
async function serve(folder: string | null): Promise<{ origin: string; close(): void }> {
  const program = await bundled();
  const server = createServer(({ url = "" }, response) => {
    const isScript = url.endsWith(".js");
    let body = url === "/worker.js" ? program : "<!doctype html>";
    if (url.startsWith("/componentor/") && folder !== null) {
      body = readFileSync(join(folder, url.slice("/componentor/".length)), "utf8");
    }
    const type = isScript ? "text/javascript" : "text/html";
    response.writeHead(200, { ...ISOLATED, "content-type": type }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, close: () => server.close() };
}

/** Starts a browser; `folder` holds the build of `@componentor/fs`. */
export async function startBench(name: BrowserName, folder: string | null): Promise<Bench> {
  const server = await serve(folder);
  const userDataDir = mkdtempSync(`${tmpdir()}/cairn-bench-`);
  const browser = await puppeteer.launch({
    ...OPTIONS[name],
    headless: true,
    protocolTimeout: 600_000,
    userDataDir,
  } as Launch);
  const page = await browser.newPage();
  await page.goto(server.origin);
  await page.evaluate(() => void Reflect.set(globalThis, "workers", {}));
  return {
    ask: (worker, job) => page.evaluate(askInPage, worker, job, PATIENCE_MS),
    stop: (worker) => page.evaluate(stopInPage, worker),
    wipe: () => page.evaluate(wipeInPage),
    async close() {
      await browser.close();
      server.close();
      rmSync(userDataDir, { recursive: true, force: true });
    },
  };
}

function askInPage(name: string, job: PeerJob, patienceMs: number): Promise<PeerAnswer> {
  const workers = Reflect.get(globalThis, "workers") as Record<string, Worker>;
  const worker = workers[name] ??= new Worker("/worker.js", { type: "module" });
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => resolve({ error: event.message || "the worker has died" });
    setTimeout(() => resolve({ error: "no answer" }), patienceMs);
    worker.postMessage(job);
  });
}

function stopInPage(name: string): void {
  const workers = Reflect.get(globalThis, "workers") as Record<string, Worker>;
  workers[name]?.terminate();
  delete workers[name];
}

/** The part of a browser's directory that is used. */
interface Folder {
  keys(): AsyncIterable<string>;
  removeEntry(name: string, options: { recursive: boolean }): Promise<void>;
}

/** What a worker held that has just ended is let go a little later. */
async function wipeInPage(): Promise<void> {
  const { storage } = navigator as unknown as { storage: { getDirectory(): Promise<Folder> } };
  const root = await storage.getDirectory();
  const names: string[] = [];
  for await (const name of root.keys()) names.push(name);
  for (const name of names) {
    for (let left = 50;; left--) {
      try {
        await root.removeEntry(name, { recursive: true });
        break;
      } catch (error) {
        if (left === 0) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}
