/**
 * How the Chromium suite runs: `tests/browser/*.spec.ts` over the server of tools/serve.ts, in the
 * browser of this machine (tools/needs.ts). Run by the stage `chromium` of tools/stages.ts.
 *
 * @module
 */
import { defineConfig, type PlaywrightTestConfig } from "@playwright/test";
import process from "node:process";
import { browserPath } from "./tools/needs.ts";

/** Chosen once, by the process that starts the server; the workers inherit it. */
process.env.CAIRN_TEST_PORT ??= String(freePort());
const PORT = Number(process.env.CAIRN_TEST_PORT);

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

const config: PlaywrightTestConfig = defineConfig({
  testDir: "tests/browser",
  testMatch: "*.spec.ts",
  outputDir: "tests/browser/results",
  forbidOnly: true,
  retries: 0,
  // The conformance suite is one test, and the machine may be busy: this ends hangs only.
  timeout: 180_000,
  workers: 1,
  use: {
    baseURL: `http://127.0.0.1:${PORT}`,
    launchOptions: {
      executablePath: browserPath("Chromium"),
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic"],
    },
  },
  webServer: {
    command: `"${Deno.execPath()}" run -A tools/serve.ts ${PORT}`,
    url: `http://127.0.0.1:${PORT}/blank.html`,
    reuseExistingServer: false,
  },
});

export default config;
