/**
 * A static server for browser tests and examples. It sends the two headers that make a page
 * cross-origin isolated on every answer; the same files under `/noiso/` come without them, for
 * the pages that must do without SharedArrayBuffer.
 *
 * By hand `deno task serve`; in a suite `const server = await startServer({ port: 0 })`.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { ROOT } from "./project.ts";

/** A server that runs. */
export interface RunningServer {
  /** Where it answers, without a slash at the end. */
  origin: string;
  /** Ends it, with the connections still open. */
  close(): Promise<void>;
}

/** One answer. */
export interface Answer {
  /** The HTTP status. */
  status: number;
  /** The headers to send. */
  headers: Record<string, string>;
  /** The file, or a line that says why not. */
  body: Uint8Array | string;
}

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  mjs: "text/javascript; charset=utf-8",
  wasm: "application/wasm",
};

const ISOLATION: Readonly<Record<string, string>> = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};

const NOT_ISOLATED = /^\/noiso(?=\/)/;

/** An empty page, so that a suite needs no file to begin with. */
const BLANK = "/blank.html";

/** The answer to a path, which may carry a query. */
export async function answer(target: string): Promise<Answer> {
  const path = decodeURIComponent(new URL(target, "http://localhost").pathname);
  const isIsolated = !NOT_ISOLATED.test(path);
  const file = path.replace(NOT_ISOLATED, "");
  const common = { "Cache-Control": "no-store", ...(isIsolated ? ISOLATION : {}) };
  const type = TYPES[file.slice(file.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  try {
    const body = file === BLANK ? "<!doctype html>\n" : await readFile(inside(file));
    return { status: 200, headers: { ...common, "Content-Type": type }, body };
  } catch {
    const headers = { ...common, "Content-Type": "text/plain" };
    return { status: 404, headers, body: `no such file: ${file}\n` };
  }
}

/** The place of a file; throws for one outside, which an encoded `..` can name. */
function inside(file: string): string {
  const path = join(ROOT, file);
  if (!path.startsWith(ROOT)) throw new Error("outside of the checkout");
  return path;
}

/** Starts to serve the checkout, on this machine only. Port 0 takes a free one. */
export async function startServer({ port }: { port: number }): Promise<RunningServer> {
  const server = createServer((request, response) => {
    answer(request.url ?? "/").then(({ status, headers, body }) => {
      response.writeHead(status, headers).end(body);
    }).catch((error) => response.writeHead(400).end(String(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${address.port}`, close: () => close(server) };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

if (import.meta.main) {
  const port = Number(Deno.args[0] ?? 8123);
  const { origin } = await startServer({ port });
  console.log(`serving the checkout at ${origin}`);
}
