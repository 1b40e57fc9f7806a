/**
 * The browser bundle as a page gets it, in Chromium: it loads, and what it exports works.
 */
import { expect, test } from "@playwright/test";

interface Cairn {
  Errno: Record<string, number>;
  ErrnoError: new (code: string) => { code: string; errno: number };
}

/** Runs in the page. */
async function tryBundle(): Promise<{ isolated: boolean; errno: number; code: string }> {
  const url = "/dist/cairn.js";
  const { ErrnoError } = await import(url) as Cairn;
  const { errno, code } = new ErrnoError("ENOENT");
  return { isolated: Reflect.get(globalThis, "crossOriginIsolated"), errno, code };
}

test("bundle loads in an isolated page", async ({ page }) => {
  await page.goto("/blank.html");
  expect(await page.evaluate(tryBundle)).toEqual({ isolated: true, errno: 44, code: "ENOENT" });
});
