/**
 * The browser example in Chromium: a C program finds what its earlier run left in OPFS, after a
 * reload too, and in a page without the headers of isolation.
 */
import { expect, type Page, test } from "@playwright/test";
import { hostCommand } from "../../tools/programs.ts";

test.beforeAll(async () => {
  const bundle = ["bundle", "--quiet", "--platform", "browser", "--outdir", "dist/example"];
  const args = [...bundle, "examples/browser/worker.ts"];
  const { success, stderr } = await hostCommand(Deno.execPath(), { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
});

/** Waits for the end of a run; what the page shows. */
async function shown(page: Page): Promise<string> {
  const output = page.locator("pre[data-status]");
  await expect(output).toHaveAttribute("data-status", "0");
  return await output.textContent() ?? "";
}

for (const prefix of ["", "/noiso"]) {
  test(`example finds its files again${prefix && " without isolation"}`, async ({ page }) => {
    await page.goto(`${prefix}/examples/browser/index.html`);
    const first = await shown(page);
    expect(first).toContain("opened /example.cairn in OPFS (direct)");
    expect(first).toContain("found: nothing, this is the first run");
    await page.reload();
    const second = await shown(page);
    expect(second).toContain("found: 1 earlier run, the last at ");
    expect(second).toContain("did: run 2 wrote notebook.txt");
  });
}
