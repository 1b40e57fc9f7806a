/** The volume suite in Firefox, which Playwright cannot drive: puppeteer does. */
import * as puppeteer from "puppeteer-core";
import { browserPath } from "../../tools/needs.ts";
import { startServer } from "../../tools/serve.ts";
import { inWorker } from "./volume_scenarios.ts";
import { type Driver, PARTS } from "./volume_suite.ts";

function launch(userDataDir: string): Promise<puppeteer.Browser> {
  return puppeteer.launch({
    browser: "firefox",
    executablePath: browserPath("Firefox"),
    headless: true,
    userDataDir,
  });
}

Deno.test("volumes in Firefox", {
  sanitizeOps: false,
  sanitizeResources: false,
}, async (context) => {
  const server = await startServer({ port: 0 });
  const profile = Deno.makeTempDirSync();
  let browser = await launch(profile);
  let page = await browser.newPage();
  const driver: Driver = {
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
  };
  try {
    for (const { name, run } of PARTS) await context.step(name, () => run(driver));
  } finally {
    await browser.close();
    await server.close();
    Deno.removeSync(profile, { recursive: true });
  }
});
