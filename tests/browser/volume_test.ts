/**
 * The volume suite in Firefox, which Playwright cannot drive: puppeteer does, except where a worker
 * starts a worker (plain_firefox.ts says why).
 */
import { assertEquals } from "@std/assert";
import * as puppeteer from "puppeteer-core";
import { browserPath } from "../../tools/needs.ts";
import { startServer } from "../../tools/serve.ts";
import { type PlainFirefox, startPlainFirefox } from "./plain_firefox.ts";
import { inWorker, refuse } from "./volume_scenarios.ts";
import { PARTS } from "./volume_suite.ts";

/** The user allows every site to keep its data. */
const ALLOWING = {
  "dom.storageManager.prompt.testing": true,
  "dom.storageManager.prompt.testing.allow": true,
};

function launch(
  userDataDir: string,
  extraPrefsFirefox: Record<string, unknown> = ALLOWING,
): Promise<puppeteer.Browser> {
  return puppeteer.launch({
    browser: "firefox",
    executablePath: browserPath("Firefox"),
    extraPrefsFirefox,
    headless: true,
    userDataDir,
  });
}

/** Firefox under puppeteer. */
async function startDriven(): Promise<PlainFirefox> {
  const server = await startServer({ port: 0 });
  const profile = Deno.makeTempDirSync();
  let browser = await launch(profile);
  let page = await browser.newPage();
  return {
    goto: async (path) => void await page.goto(server.origin + path),
    run: (where, what, scene) =>
      where === "page"
        ? page.evaluate(what, scene)
        : page.evaluate(inWorker, { source: what.toString(), scene }) as Promise<never>,
    restart: async () => {
      await browser.close();
      browser = await launch(profile);
      page = await browser.newPage();
    },
    allowPersist: () => Promise.resolve(),
    note: () => Promise.resolve(),
    close: async () => {
      await browser.close();
      await server.close();
      Deno.removeSync(profile, { recursive: true });
    },
  };
}

const KINDS = [
  ["volumes in Firefox", false, startDriven],
  [
    "volumes in Firefox, in workers of workers",
    true,
    () => startPlainFirefox(browserPath("Firefox")),
  ],
] as const;

for (const [title, nests, start] of KINDS) {
  Deno.test(title, { sanitizeOps: false, sanitizeResources: false }, async (context) => {
    const driver = await start();
    try {
      for (const { name, run } of PARTS.filter((part) => (part.nests ?? false) === nests)) {
        await context.step(name, (step) => {
          driver.note = (finding) => step.step(finding, () => {});
          return run(driver);
        });
      }
    } finally {
      await driver.close();
    }
  });
}

Deno.test("a Firefox without a file system says so", {
  sanitizeOps: false,
  sanitizeResources: false,
}, async () => {
  const server = await startServer({ port: 0 });
  const profile = Deno.makeTempDirSync();
  const browser = await launch(profile, { "dom.fs.enabled": false });
  try {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/blank.html`);
    const message = await page.evaluate(refuse, { cairn: "/dist/cairn.js", name: "nowhere" });
    const why = "there is no origin private file system here";
    assertEquals(message, `ENOTSUP: cannot open volume "nowhere": ${why}`);
  } finally {
    await browser.close();
    await server.close();
    Deno.removeSync(profile, { recursive: true });
  }
});
