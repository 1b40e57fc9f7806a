/**
 * What the gate consists of, as a table. `ok` needs no browser and no C compiler; `full` has these
 * too. The runner (tools/test.ts) goes through it from top to bottom.
 *
 * To add a suite: put its tests into a folder of tests/. A folder of ordinary `_test.ts` files
 * belongs to the unit stage already; one that needs a tool gets a row here, its name in
 * `NOT_UNIT`, and its tool in tools/needs.ts.
 *
 * @module
 */
import { entryPoints, exists, PUBLISHED, readManifest, sourceFiles } from "./project.ts";
import type { ReportForm } from "./reports.ts";

/** One step of the gate: one `deno` command. */
export interface Stage {
  /** Unique; `deno task ok <name>` runs it alone. */
  name: string;
  /** `ok` stages are part of `full`. */
  set: "ok" | "full";
  /** Arguments of deno. `{report}` stands for the file to write the report to. */
  command: readonly string[];
  /** How its tests are counted. */
  form: ReportForm;
  /** Its output is of interest also where nothing failed. */
  prints?: boolean;
  /** Variables of its own. `{report}` as above. */
  env?: Readonly<Record<string, string>>;
}

/** Folders of tests/ that the unit stage leaves to others. */
const NOT_UNIT = ["tests/browser", "tests/programs", "tests/mount"];

const JUNIT = "--junit-path={report}";

/** Every stage of the present checkout; a suite without a file is not there yet. */
export function listStages(): Stage[] {
  return [
    ...checks(),
    ...unitSuites(),
    run("publish", ["publish", "--dry-run", "--allow-dirty", "--quiet"]),
    ...browserSuites(),
    ...programSuites(),
    ...mountSuites(),
  ];
}

function checks(): Stage[] {
  return [
    run("fmt", ["fmt", "--check"]),
    run("lint", ["lint"]),
    run("check", ["check"]),
    run("doc", ["doc", "--lint", ...entryPoints()]),
    { ...run("length", ["run", "-A", "tools/function_length.ts"]), prints: true },
    { ...run("assertions", ["run", "-A", "tools/assertions.ts"]), prints: true },
    { ...run("words", ["run", "-A", "tools/words.ts"]), prints: true },
    run("mirror", ["run", "-A", "tools/mirror.ts"]),
    run("exports", ["run", "-A", "tools/exports.ts"]),
    run("generated", ["run", "-A", "tools/build.ts", "--check"]),
  ];
}

function unitSuites(): Stage[] {
  const ignore = `--ignore=${NOT_UNIT.join(",")}`;
  const documented = ["mod.ts", ...PUBLISHED].filter(exists);
  return [
    test("unit", ["--parallel", ignore, "tests"]),
    test("doctest", ["--doc", "--permit-no-files", ...documented]),
  ];
}

function browserSuites(): Stage[] {
  if (!exists("tests/browser")) return [];
  const playwright = readManifest().imports["@playwright/test"];
  return [
    { ...run("build", ["run", "-A", "tools/build.ts"]), set: "full" },
    {
      name: "chromium",
      set: "full",
      // A cache of compiled code has met an edited file and called it a syntax error.
      command: [
        ...["run", "-A", "--no-code-cache"],
        ...[`${playwright}/cli`, "test", "--reporter=list,json"],
      ],
      form: "playwright",
      env: { PLAYWRIGHT_JSON_OUTPUT_FILE: "{report}" },
    },
    { ...test("firefox", ["tests/browser"]), set: "full" },
  ];
}

function programSuites(): Stage[] {
  if (sourceFiles(["tests/programs"]).length === 0) return [];
  return [{ ...test("programs", ["tests/programs"]), set: "full" }];
}

/** Real mounts; it takes Linux and /dev/fuse, and root or fusermount3. */
function mountSuites(): Stage[] {
  if (sourceFiles(["tests/mount"]).length === 0) return [];
  return [{ ...test("mount", ["tests/mount"]), set: "full" }];
}

function run(name: string, command: readonly string[]): Stage {
  return { name, set: "ok", command, form: "exit" };
}

function test(name: string, args: readonly string[]): Stage {
  return {
    name,
    set: "ok",
    command: ["test", "-A", "--reporter=dot", JUNIT, ...args],
    form: "junit",
  };
}
