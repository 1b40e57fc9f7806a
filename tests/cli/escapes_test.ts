/**
 * Names may hold anything, and whatever they hold a terminal must not obey: not in results, not in
 * errors, not in progress, not in completions.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { complete } from "../../cli/shell/complete.ts";
import { filesOf } from "../../cli/shared/image.ts";
import { jsonText, printable, visible } from "../../cli/shared/words.ts";
import { fileHandle } from "../../opfs/device/file.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { cairnLines, inFolder } from "../support/command_line.ts";
import { inShell, onTerminal } from "../support/hostile_host.ts";

const NAME = "\x1b]0;owned\x07\x9b31m\nline\x7f";
const FILE = { mode: 0o100644, uid: 0, gid: 0 };
// deno-lint-ignore no-control-regex
const OBEYED = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/;

function makeImage(path: string): void {
  const volume = openVolumeSync(fileHandle(path));
  volume.create(volume.root, NAME, FILE);
  const folder = volume.create(volume.root, `d${NAME}`, { ...FILE, mode: 0o040755 });
  volume.create(folder, NAME, FILE);
  volume.create(volume.root, "loop", { ...FILE, mode: 0o120777, target: `${NAME}/x` });
  volume.close();
}

Deno.test("cairn prints no control character of a name, whatever goes wrong with it", () => {
  inFolder((folder) => {
    makeImage(`${folder}/v`);
    Deno.mkdirSync(`${folder}/out/${NAME}`, { recursive: true });
    Deno.writeTextFileSync(`${folder}/${NAME}`, "no image");
    const path = `/${NAME}`;
    const lines = [
      ...["ls", "cat", "stat", "du", "find", "rm"].map((
        verb,
      ) => [verb, "v", `${path}/x`, `/no${NAME}`]),
      ...["chmod 600", "chown 1", "mkdir", "touch"].map((words) => {
        const [verb, ...more] = words.split(" ");
        return [verb!, "v", ...more, `${path}/x/y`];
      }),
      ...["ls", "check", "info", "dump", "tree", "df", "compact"].map((verb) => [verb, NAME]),
      ["truncate", "-s", "1", "v", `${path}/x`],
      ["mv", "v", `${path}/x`, "/y"],
      ["ln", "v", `${path}/x`, `/y${NAME}`],
      ["get", "v", path, "out"],
      ["get", "v", `${path}/x`],
      ["put", "v", `no${NAME}`],
      ["put", "v", "v", path],
      ["cp", "-r", "v:/.", "out"],
      ["cp", `v:${path}/x`, "out"],
      ["export", "v", `no${NAME}/x.tar`],
      ["import", NAME, "w"],
      ["mount", "--foreground", `no${NAME}`, `no${NAME}`],
      [NAME],
      ["ls", `--${NAME}`],
      ["cat", "--debug", "v", `${path}/x`],
    ];
    for (const [index, { status, out, err }] of cairnLines(lines, { cwd: folder }).entries()) {
      const what = JSON.stringify([lines[index], out, err]);
      assert(status > 0 && err.startsWith("cairn"), what);
      assert(!OBEYED.test(out) && !OBEYED.test(err), what);
      if (lines[index]![1] !== "--debug") {
        assertEquals(err.trimEnd().includes("\nline"), false, what);
      }
    }
  });
});

Deno.test("cairn prints no control character of a name in results either", () => {
  inFolder((folder) => {
    makeImage(`${folder}/v`);
    const lines = [
      ...["ls -laR", "find", "du -a", "tree", "tree --json", "dump --names", "dump --names --json"]
        .map((words) => [...words.split(" "), "v"]),
      ["stat", "v", `/${NAME}`, "/loop"],
      ["stat", "--json", "v", `/${NAME}`],
    ];
    for (const [index, { status, out, err }] of cairnLines(lines, { cwd: folder }).entries()) {
      assertEquals([status, err], [0, ""], lines[index]!.join(" "));
      assert(!OBEYED.test(out), JSON.stringify([lines[index], out]));
    }
  });
});

Deno.test("cairn's shell prints no control character of a name", () => {
  inFolder((folder) => {
    makeImage(`${folder}/v`);
    const script =
      `printf 'cat *\\ncat d*\\ncat loop\\nrm *\\ncd *\\nchmod 9 *\\nget * out\\n' | cairn ./v`;
    const { err, out } = inShell(script, folder);
    assertMatch(err, /cairn cat: .*owned/);
    assert(!OBEYED.test(err + out), JSON.stringify(err + out));
  });
});

Deno.test("complete() offers no name that a terminal would obey", () => {
  inFolder((folder) => {
    makeImage(`${folder}/v`);
    const volume = openVolumeSync(fileHandle(`${folder}/v`));
    volume.create(volume.root, "plain", FILE);
    Deno.writeTextFileSync(`${folder}/${NAME}`, "");
    Deno.writeTextFileSync(`${folder}/host`, "");
    const choices = {
      verbs: [],
      directory: "/",
      withFiles: <T>(work: (files: ReturnType<typeof filesOf>) => T): T => work(filesOf(volume)),
    };
    assertEquals(complete("cat ", choices)[0], ["loop ", "plain "]);
    assertEquals(
      complete(`put ${folder}/`, choices)[0],
      ["host ", "v ", "v.lock "].map((name) => `${folder}/${name}`),
    );
    volume.close();
  });
});

Deno.test("what is shown on a terminal beside results has no control characters of names", () => {
  inFolder((folder) => {
    makeImage(`${folder}/v`);
    const shown = onTerminal(["cat", "v", `/no${NAME}`], folder);
    assert(shown.includes("owned") && !shown.includes("\x1b]0;"), JSON.stringify(shown));
  });
});

Deno.test("visible() and jsonText() leave what is printable as it is", () => {
  assertEquals(visible('a\\b "ä" \x1b'), 'a\\b "ä" \\x1b');
  assertEquals(printable("a\\b\x1b"), "a\\\\b\\x1b");
  assertEquals(visible(printable(NAME)), printable(NAME));
  assertEquals(JSON.parse(jsonText({ name: NAME })), { name: NAME });
  assert(!OBEYED.test(jsonText(NAME)));
});
