/**
 * The command line as a whole: help, words that make no sense, errors as one line.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { main } from "../../cli/main.ts";
import { sampleImage } from "../support/bad_images.ts";
import { assertAllFail, cairn, cairnLines, inFolder } from "../support/command_line.ts";
import { hostCommand } from "../../tools/programs.ts";

const VERBS =
  `mkfs info ls stat tree cat put get cp mkdir rm mv ln chmod chown touch truncate find du
  df mount check compact dump import export upgrade version`.split(/\s+/);

Deno.test("cairn --help names every verb", () => {
  const { status, out } = cairn(["--help"]);
  assertEquals(status, 0);
  for (const verb of VERBS) assertMatch(out, new RegExp(`^  ${verb} +[A-Z]`, "m"));
});

Deno.test("main() explains each verb with examples", async () => {
  for (const verb of VERBS) {
    let out = "";
    const terminal = {
      print: (text: string) => void (out += text),
      write: () => {},
      say: () => {},
      show: () => {},
      flush: () => {},
    };
    assertEquals(await main([verb, "--help"], terminal), 0);
    assert(out.startsWith(`cairn ${verb} `), out);
    assertMatch(out, new RegExp(`Examples?:\n(.*\n)*?.*cairn ${verb}`));
  }
});

Deno.test("cairn refuses words that make no sense in one line", () => {
  assertAllFail([
    [[], /^cairn: a verb is missing; see "cairn --help"$/m],
    [["dance"], /^cairn: there is no verb "dance"; see "cairn --help"$/m],
    [["check"], /^cairn check: words are missing: check .*; see "cairn check --help"$/m],
    [["check", "a", "b"], /"b" is one word too many/],
    [["check", "--frob", "a"], /^cairn check: .*--frob.*$/m],
  ]);
});

Deno.test("cairn shows a stack with --debug only", () => {
  assert(!/^\s+at /m.test(cairn(["check", "/no/such/file"]).err));
  const { err, status } = cairn(["check", "--debug", "/no/such/file"]);
  assertEquals(status, 2);
  assertMatch(err, /^\s+at /m);
});

Deno.test("cairn takes names that begin with a dash after --", () => {
  inFolder((folder) => {
    assertEquals(cairn(["mkfs", "--", "-notes"], { cwd: folder }).status, 0);
    assertEquals(cairn(["check", "--", "-notes"], { cwd: folder }).status, 0);
    Deno.writeTextFileSync(`${folder}/-a`, "dash");
    assertEquals(cairn(["put", "--", "-notes", "-a", "/-b"], { cwd: folder }).status, 0);
    assertEquals(cairn(["cat", "--", "-notes", "-b"], { cwd: folder }).out, "dash");
    assertEquals(cairn(["get", "--", "-notes", "/-b", "-c"], { cwd: folder }).status, 0);
    assertEquals(Deno.readTextFileSync(`${folder}/-c`), "dash");
  });
});

Deno.test("cairn takes an image and paths that begin with a dash in every verb", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/-v`);
    Deno.writeTextFileSync(`${folder}/-file`, "dash");
    const lines = [
      ...[["put", "--", "-v", "-file", "/-a"], ["put", "--", "-v", "-file", "-b"]],
      ...[["get", "--", "-v", "-a", "-got"], ["cp", "--", "-v:/-a", "-copy"]],
      ...[["cp", "-r", "--", "-file", "-v:/-c"], ["mkdir", "-p", "--", "-v", "-d/-e"]],
      ...[["mv", "--", "-v", "-c", "-d"], ["ln", "-s", "--", "-v", "-t", "-l"]],
      ...[["ln", "--", "-v", "-a", "-h"], ["chmod", "-R", "--", "-v", "-w", "-d"]],
      ...[["chown", "--", "-v", "1:1", "-a"], ["touch", "--", "-v", "-t"]],
      ...[["truncate", "-s", "9", "--", "-v", "-t"], ["find", "--", "-v", "-d"]],
      ...[["du", "--", "-v", "-d"], ["df", "--", "-v"], ["ls", "-l", "--", "-v", "-d"]],
      ...[["stat", "--", "-v", "-l"], ["tree", "--", "-v"], ["cat", "--", "-v", "-a"]],
      ...[["info", "--", "-v"], ["dump", "--", "-v"], ["rm", "-r", "--", "-v", "-d", "-b"]],
      ...[["compact", "--", "-v"], ["check", "--repair", "--", "-v"], ["mkfs", "--", "-w"]],
      ["tree", "--", "-v"],
    ];
    const results = cairnLines(lines, { cwd: folder });
    for (const [index, { status, err }] of results.entries()) {
      assertEquals([status, err], [0, ""], lines[index]!.join(" "));
    }
    assertEquals(Deno.readTextFileSync(`${folder}/-got`), "dash");
    assertEquals(Deno.readTextFileSync(`${folder}/-copy`), "dash");
    const tree = results.at(-1)!.out.split("\n").filter((line) => line.startsWith("  -"));
    assertEquals(tree, ["  -a (4)", "  -h (4)", "  -l -> -t", "  -t (9)"]);
  });
});

Deno.test("cairn ends quietly when its output is not read any more", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const image = `${folder}/notes.cairn`;
    cairn(["mkfs", image]);
    Deno.writeFileSync(`${folder}/big`, new Uint8Array(8_000_000));
    cairn(["put", image, `${folder}/big`]);
    const process = hostCommand("sh", {
      args: ["-c", `"$@" | head -c 10 >/dev/null`, "sh", ...argsOf(image)],
      stderr: "piped",
    });
    const { stderr, code } = await process.output();
    assertEquals([new TextDecoder().decode(stderr), code], ["", 0]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

function argsOf(image: string): string[] {
  const path = new URL("../../cli/main.ts", import.meta.url).pathname;
  return [Deno.execPath(), "run", "-q", "-A", path, "cat", image, "/big"];
}

Deno.test("cairn names the place, the reason and what to do", () => {
  const { err } = cairn(["tree", "/no/such/file"]);
  assertStringIncludes(err, 'cairn tree: "/no/such/file": ENOENT: cannot open');
  assertStringIncludes(err, "; look at the spelling of the path");
});
