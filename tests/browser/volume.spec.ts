/** The volume suite in Chromium, and how the relay's worker gets there. */
import { type BrowserContext, chromium, expect, type Page, test as base } from "@playwright/test";
import { find, inWorker, keep, refuse } from "./volume_scenarios.ts";
import { type Driver, PARTS } from "./volume_suite.ts";

const test = base.extend<{ driver: Driver }>({
  driver: async ({ launchOptions, baseURL }, use, info) => {
    const profile = info.outputPath("profile");
    const open = (): Promise<BrowserContext> =>
      chromium.launchPersistentContext(profile, { ...launchOptions, baseURL });
    let context = await open();
    let page: Page = await context.newPage();
    await use({
      goto: async (path) => void await page.goto(path),
      run: (where, what, scene) =>
        where === "page"
          ? page.evaluate(what, scene)
          : page.evaluate(inWorker, { source: what.toString(), scene }) as Promise<never>,
      restart: async () => {
        await context.close();
        context = await open();
        page = await context.newPage();
      },
      allowPersist: async () => {
        const session = await context.newCDPSession(page);
        await session.send("Browser.grantPermissions", { permissions: ["durableStorage"] });
      },
      note: (finding) => test.step(finding, () => {}),
    });
    await context.close();
  },
});

for (const { name, run } of PARTS) {
  test(name, async ({ driver }) => await run(driver));
}

const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Content-Type": "text/html",
};

/** A page whose policy forbids workers from Blobs. */
async function gotoStrict(page: Page): Promise<void> {
  const headers = { ...ISOLATION, "Content-Security-Policy": "worker-src 'self'" };
  await page.route("**/strict.html", (route) => route.fulfill({ headers, body: "strict" }));
  await page.goto("/strict.html");
}

test("the relay's worker comes as a script where a policy forbids Blobs", async ({ page }) => {
  await gotoStrict(page);
  const scene = { cairn: "/dist/cairn.js", name: "strict", blocking: "spin" as const, text: "x" };
  expect((await page.evaluate(keep, scene)).transport).toBe("relay");
  expect((await page.evaluate(find, scene)).text).toBe("x!");
});

test("where no worker can be had, one message names the headers", async ({ page }) => {
  await gotoStrict(page);
  await page.route("**/relay_worker.js", (route) => route.fulfill({ status: 404 }));
  const scene = { cairn: "/dist/cairn.js", name: "none", blocking: "spin" as const };
  const message = await page.evaluate(refuse, scene);
  expect(message).toContain("ENOTSUP");
  expect(message).toContain("Cross-Origin-Embedder-Policy: require-corp");
  expect(message).toContain("worker-src");
});

test("a page without https learns that it has no file system", async ({ launchOptions, baseURL }) => {
  const host = "insecure.test";
  const args = [...launchOptions.args ?? [], `--host-resolver-rules=MAP ${host} 127.0.0.1`];
  const browser = await chromium.launch({ ...launchOptions, args });
  try {
    const page = await browser.newPage();
    await page.goto(`${baseURL}/blank.html`.replace("127.0.0.1", host));
    const message = await page.evaluate(refuse, { cairn: "/dist/cairn.js", name: "nowhere" });
    expect(message).toBe(
      'ENOTSUP: cannot open volume "nowhere": ' +
        "a page without https has no origin private file system",
    );
  } finally {
    await browser.close();
  }
});
