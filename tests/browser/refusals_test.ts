/**
 * What real browsers refuse, and that the message names the cause: blocked site data, private windows,
 * shared workers. And what a page keeps after it has opened a volume many times. One driver, puppeteer.
 */
import { assert } from "@std/assert";
import * as puppeteer from "puppeteer-core";
import { browserPath } from "../../tools/needs.ts";
import { startServer } from "../../tools/serve.ts";

type Cairn = typeof import("../../mod.ts");
type Launch = Parameters<typeof puppeteer.launch>[0];

const CAIRN = "/dist/cairn.js";
const LOOSE = { sanitizeOps: false, sanitizeResources: false };
const CHROMIUM = { browser: "chrome", args: ["--no-sandbox", "--disable-gpu"] };
const FIREFOX = { browser: "firefox" };

/** A page of a browser whose profile was prepared. */
async function withPage(
  name: "Chromium" | "Firefox",
  { preferences = {}, ...options }: Record<string, unknown>,
  run: (page: puppeteer.Page) => Promise<void>,
): Promise<void> {
  const server = await startServer({ port: 0 });
  const userDataDir = Deno.makeTempDirSync();
  if (name === "Chromium") {
    Deno.mkdirSync(`${userDataDir}/Default`);
    Deno.writeTextFileSync(`${userDataDir}/Default/Preferences`, JSON.stringify(preferences));
  }
  const launch = { ...options, executablePath: browserPath(name), headless: true, userDataDir };
  const browser = await puppeteer.launch(launch as Launch);
  try {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/blank.html`);
    await run(page);
  } finally {
    await browser.close();
    await server.close();
    Deno.removeSync(userDataDir, { recursive: true });
  }
}

/** In the page: what opening says, here and in a dedicated worker. */
async function openBoth(cairn: string): Promise<{ page: string; worker: string }> {
  const url = new URL(cairn, location.href).href;
  const { openVolume } = await import(url) as Cairn;
  const page = await openVolume("refused").then(async (volume) => {
    await volume.close();
    return "opened";
  }, (error) => error.message);
  const program = `import(${JSON.stringify(url)})
    .then(({ openVolume }) => openVolume("refused"))
    .then((volume) => volume.close()).then(() => "opened", (error) => error.message)
    .then(postMessage);`;
  const worker = new Worker(URL.createObjectURL(new Blob([program])));
  const answer = new Promise<string>((resolve) => worker.onmessage = ({ data }) => resolve(data));
  return { page, worker: await answer };
}

/** In the page: what opening says in a shared worker. */
async function openShared(cairn: string): Promise<string> {
  const url = new URL(cairn, location.href).href;
  const program = `onconnect = ({ ports: [port] }) => import(${JSON.stringify(url)})
    .then(({ openVolume }) => openVolume("shared"))
    .then((volume) => volume.close()).then(() => "opened", (error) => error.message)
    .then((text) => port.postMessage(text));`;
  const blob = new Blob([program], { type: "text/javascript" });
  const Shared = Reflect.get(globalThis, "SharedWorker") as new (url: string) => {
    port: MessagePort;
  };
  const { port } = new Shared(URL.createObjectURL(blob));
  return await new Promise((resolve) => port.onmessage = ({ data }) => resolve(data));
}

/** In the page: bytes after the first and after the last of many opens beside one that stays. */
async function openOften(cairn: string, times: number): Promise<number[]> {
  const { openVolume } = await import(new URL(cairn, location.href).href) as Cairn;
  const options = { name: "often", access: "relay", blocking: "spin" } as const;
  const stays = await openVolume(options);
  const measure = Reflect.get(performance, "measureUserAgentSpecificMemory");
  const bytes: number[] = [];
  for (let turn = 0; turn <= times; turn++) {
    const volume = await openVolume(options);
    const ino = volume.lookup(volume.root, "f") ||
      volume.create(volume.root, "f", { mode: 0o100644, uid: 0, gid: 0 });
    volume.write(ino, new Uint8Array(900_000), 0);
    await volume.promises.write(ino, new Uint8Array(900_000), 0);
    await volume.close();
    if (turn % times === 0) bytes.push((await measure.call(performance)).bytes);
  }
  await stays.close();
  return bytes;
}

/** The cause is named, and nothing else is. */
function assertBlocked(seen: { page: string; worker: string }): void {
  console.log(JSON.stringify(seen));
  for (const message of Object.values(seen)) {
    assert(message.startsWith("EACCES"), message);
    assert(/site data is blocked/.test(message) && /private window/.test(message), message);
    assert(!/another tab/.test(message), message);
  }
}

const BLOCKED = { profile: { default_content_setting_values: { cookies: 2 } } };

Deno.test("Chromium with site data blocked: EACCES that says so", LOOSE, async () => {
  await withPage("Chromium", { ...CHROMIUM, preferences: BLOCKED }, async (page) => {
    assertBlocked(await page.evaluate(openBoth, CAIRN));
  });
});

Deno.test(
  "Firefox with site data blocked, and in a private window: EACCES that says so",
  LOOSE,
  async () => {
    for (
      const extraPrefsFirefox of [
        { "network.cookie.cookieBehavior": 2 },
        { "browser.privatebrowsing.autostart": true },
      ]
    ) {
      await withPage("Firefox", { ...FIREFOX, extraPrefsFirefox }, async (page) => {
        assertBlocked(await page.evaluate(openBoth, CAIRN));
      });
    }
  },
);

Deno.test("a shared worker of Chromium: ENOTSUP that names what is missing", LOOSE, async () => {
  await withPage("Chromium", CHROMIUM, async (page) => {
    const message = await page.evaluate(openShared, CAIRN);
    console.log(message);
    assert(message.startsWith("ENOTSUP") && /dedicated worker/.test(message), message);
    assert(!/relay_worker\.js/.test(message), message);
  });
});

Deno.test("a page keeps nothing of 100 opens beside a volume that stays open", LOOSE, async () => {
  await withPage("Chromium", CHROMIUM, async (page) => {
    const [first, last] = await page.evaluate(openOften, CAIRN, 100) as [number, number];
    const each = (last - first) / 100;
    console.log(
      `${Math.round(first / 1024)} KiB after one open, ${Math.round(each)} bytes for each`,
    );
    assert(each < 100_000, `${each} bytes more for each open and close`);
  });
});
