/** Images in Chromium: from a volume in use to another name, in a page and in a worker. */
import { expect, test } from "@playwright/test";
import { backUp } from "./image_scenarios.ts";
import { inWorker, type Scene } from "./volume_scenarios.ts";

const EXPECTED = {
  clean: true,
  files: 1,
  isBusy: true,
  refusal: "EEXIST",
  isOld: true,
  isNew: true,
};

const SCENES: readonly ["page" | "worker", Scene][] = [
  ["page", { cairn: "/dist/cairn.js", name: "page image", blocking: "spin" }],
  ["worker", { cairn: "/dist/cairn.js", name: "relayed image", access: "relay" }],
  ["worker", { cairn: "/dist/cairn.js", name: "direct image" }],
];

for (const [where, scene] of SCENES) {
  test(`${where} (${scene.name}): an image of a volume in use becomes a volume`, async ({ page }) => {
    await page.goto("/blank.html");
    const seen = where === "page"
      ? await page.evaluate(backUp, scene)
      : await page.evaluate(inWorker, { source: backUp.toString(), scene });
    expect(seen).toEqual(EXPECTED);
  });
}
