/**
 * The browser bundle as a page gets it, in Firefox, which Playwright cannot drive: puppeteer does.
 */
import { assertEquals } from "@std/assert";
import * as puppeteer from "puppeteer-core";
import { startServer } from "../../tools/serve.ts";
import { browserPath } from "../../tools/needs.ts";

interface Cairn {
  ErrnoError: new (code: string) => { code: string; errno: number };
}

/** Runs in the page. */
async function tryBundle(): Promise<{ isolated: boolean; errno: number; code: string }> {
  const url = "/dist/cairn.js";
  const { ErrnoError } = await import(url) as Cairn;
  const { errno, code } = new ErrnoError("ENOENT");
  return { isolated: Reflect.get(globalThis, "crossOriginIsolated"), errno, code };
}

Deno.test("bundle loads in an isolated page of Firefox", {
  sanitizeOps: false,
  sanitizeResources: false,
}, async () => {
  const server = await startServer({ port: 0 });
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: browserPath("Firefox"),
    headless: true,
  });
  try {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/blank.html`);
    assertEquals(await page.evaluate(tryBundle), { isolated: true, errno: 44, code: "ENOENT" });
  } finally {
    await browser.close();
    await server.close();
  }
});
