/**
 * The decisions of tools/setup.ts: who may install, and what to print for those who may not.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { existsSync } from "node:fs";
import { type Tool, TOOLS } from "../../tools/needs.ts";
import { aptLine, findLostBase, planInstall } from "../../tools/setup.ts";

function toolsOf(...packages: string[]): Tool[] {
  return TOOLS.filter((tool) => packages.includes(tool.package));
}

const BOTH = toolsOf("chromium", "wasi-libc");

Deno.test("planInstall() installs as root on Debian", () => {
  const plan = planInstall(BOTH, { hasApt: true, isRoot: true, isCi: false });
  assertEquals(plan?.length, 2);
  const line = plan?.[1]?.join(" ") ?? "";
  assertStringIncludes(line, "apt-get -qq install -y --no-install-recommends chromium wasi-libc");
  assert(!line.includes("sudo"));
});

Deno.test("planInstall() takes sudo in CI and nowhere else", () => {
  const plan = planInstall(BOTH, { hasApt: true, isRoot: false, isCi: true });
  assertEquals(plan?.map((command) => command[0]), ["sudo", "sudo"]);
  assertEquals(planInstall(BOTH, { hasApt: true, isRoot: false, isCi: false }), null);
  assertEquals(planInstall(BOTH, { hasApt: false, isRoot: true, isCi: true }), null);
});

Deno.test("aptLine() is one line that can be run", () => {
  assertEquals(
    aptLine(BOTH),
    "sudo apt-get install --no-install-recommends chromium wasi-libc",
  );
});

Deno.test("each package is installed once, whatever it brings", () => {
  const line = aptLine(toolsOf("binutils", "attr"));
  assertEquals(line, "sudo apt-get install --no-install-recommends attr binutils");
});

Deno.test("findLostBase() finds nothing on a Debian", {
  ignore: !existsSync("/etc/debian_version"),
}, () => assertEquals(findLostBase(), []));
