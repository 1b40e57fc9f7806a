/**
 * `cairn IMAGE` as a process whose lines come through a pipe.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { assertFails, cairn, command } from "../../support/command_line.ts";

interface Said {
  status: number;
  out: string;
  err: string;
}

async function shell(image: string, lines: readonly string[], cwd: string): Promise<Said> {
  const child = command([image], { cwd, stdin: "piped" }).spawn();
  await ReadableStream.from([new TextEncoder().encode(lines.join("\n"))]).pipeTo(child.stdin);
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { status: code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

async function inFolder(work: (folder: string, image: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "cairn-shell-" });
  try {
    assertEquals(cairn(["mkfs", `${folder}/v.cairn`]).status, 0);
    await work(folder, `${folder}/v.cairn`);
    assertEquals(cairn(["check", `${folder}/v.cairn`]).status, 0);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("cairn IMAGE runs the verbs of the command line, from where it is", async () => {
  await inFolder(async (folder, image) => {
    Deno.writeTextFileSync(`${folder}/note`, "hello\n");
    const { status, out, err } = await shell("v.cairn", [
      ...["mkdir -p a/b", "cd a", "pwd", "put ../note", "put note", "put note 'two words'"],
      ...["mv note b/", "ln b/note hard", "ln -s b/note soft", "cp hard b/copy", "cat *ard # all"],
      ...["ls", "cd b", "ls ..", "find .. -type f", "rm copy", "chmod 600 note", "stat note"],
      ...["get note out", "cd", "pwd", "df", "help", "exit", "ls"],
    ], folder);
    assertEquals([status, err.split("\n").length], [2, 2], err);
    assertMatch(err, /^cairn put: "\.\.\/note": ENOENT/);
    const lines = out.split("\n");
    assertEquals(lines.slice(0, 2), ["/a", "hello"]);
    assertEquals(lines.slice(2, 10), [
      ...["b", "hard", "soft", "two words"],
      ...["b", "hard", "soft", "two words"],
    ]);
    assertMatch(out, /^\/a\/two words$/m);
    assertMatch(out, /^ {2}file, -rw------- \(100600\), owner 0:0$/m);
    assertMatch(out, /^ {2}help \[VERB\]/m);
    assertEquals(Deno.readTextFileSync(`${folder}/out`), "hello\n");
    assertEquals(cairn(["cat", image, "/a/b/note"]).out, "hello\n");
  });
});

Deno.test("cairn IMAGE removes neither its place nor more than a pattern names", async () => {
  await inFolder(async (folder, image) => {
    const { err } = await shell(image, [
      ...["mkdir -p d/e full", "touch d/e/f full/one ./-rf", "cp -r full/. d", "cd d/e"],
      ...["rm -r .", "rm -r ..", "rm -rf ../.", "cd /", "rm *"],
    ], folder);
    assertEquals(err.match(/EINVAL/g)?.length, 3, err);
    assertEquals(err.match(/EISDIR/g)?.length, 2, err);
    assertEquals(cairn(["find", image]).out.split("\n").sort().slice(1), [
      ...["/", "/d", "/d/e", "/d/e/f", "/d/one", "/full", "/full/one"],
    ]);
  });
});

Deno.test("cairn IMAGE goes on after a line that fails, and its status says so", async () => {
  await inFolder(async (folder, image) => {
    const bad = ["cat none", "cd none", "frob", "ls --frob", 'cat "open', "mkdir", "cd a b"];
    const { status, out, err } = await shell(image, [...bad, "mkdir last", "pwd"], folder);
    const said = err.trim().split("\n");
    assertEquals([status, out, said.length], [2, "/\n", bad.length], err);
    assertMatch(said[0]!, /^cairn cat: ".*v\.cairn:\/none": ENOENT/);
    assertMatch(said[2]!, /there is no verb "frob" in here; `help` has them all$/);
    assertMatch(said[4]!, /a quote is not closed$/);
    assertEquals(cairn(["ls", image]).out, "last\n");
    const good = await shell(image, ["ls", "", "# nothing"], folder);
    assertEquals([good.status, good.out, good.err], [0, "last\n", ""]);
  });
});

Deno.test("cairn IMAGE refuses what is no image before it takes a line", () => {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${folder}/text`, "no volume ".repeat(2000));
    assertFails([`${folder}/none`], /^cairn: ".*none": ENOENT/);
    assertFails([`${folder}/text`], /^cairn: ".*text": EINVAL: .*magic/);
    assertFails(["dance"], /there is no verb "dance"/);
    assertFails([`${folder}/text`, "more"], /there is no verb ".*text"/);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
