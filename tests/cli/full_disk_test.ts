/**
 * The command line on a disk that is full: one line each, nothing half, and the image stays whole.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { sampleImage } from "../support/bad_images.ts";
import { inFolder } from "../support/command_line.ts";
import { inShell, onFullDisk } from "../support/hostile_host.ts";

/** These fit into what the image owns, or need nothing. */
const SMALL = [
  ...[["mkdir", "v", "/new"], ["ln", "v", "/a", "/new/a"], ["mv", "v", "/new/a", "/c"]],
  ...[["chmod", "v", "600", "/a"], ["chown", "v", "1:1", "/a"], ["touch", "v", "/new/t"]],
  ...[["truncate", "-s", "1G", "v", "/c"], ["rm", "v", "/dir/b"], ["compact", "v"]],
  ...[["ls", "v"], ["stat", "v", "/a"], ["find", "v"], ["du", "v"], ["df", "v"], ["info", "v"]],
];
/** These need what is not there. */
const LARGE = [
  ...[["put", "v", "../big"], ["cp", "../big", "v:/big2"], ["mkfs", "w"]],
  ...[["get", "full", "/big", "out"], ["cp", "full:/big", "out"], ["cp", "full:/big", "v:/big3"]],
];

Deno.test("cairn does what fits on a full disk, and refuses the rest in one line", () => {
  inFolder((folder) => {
    Deno.writeFileSync(`${folder}/big`, new Uint8Array(3_000_000).fill(1));
    Deno.mkdirSync(`${folder}/disk`);
    sampleImage(`${folder}/v`);
    const lines = JSON.stringify([...SMALL, ...LARGE, ["check", "v"], ["tree", "v"]]);
    const { out, err, status } = onFullDisk(
      `cairn mkfs ../full; cairn put ../full ../big; cp ../v v; ln -s ../full full
      head -c 9M /dev/zero > filler 2>/dev/null; truncate -s -32K filler # for the lock
      many '${lines}'; ls -A`,
      { folder: `${folder}/disk`, diskBytes: 3 * 2 ** 20 },
    );
    assertEquals([status, err], [0, ""]);
    const end = out.indexOf("\n");
    const results: { status: number; out: string; err: string }[] = JSON.parse(out.slice(0, end));
    for (const line of [...SMALL, ...LARGE]) {
      const { status, err } = results.shift()!;
      const isLarge = LARGE.includes(line);
      assertEquals(status, isLarge ? 2 : 0, `${line.join(" ")}: ${err}`);
      if (isLarge) assertMatch(err, /^cairn \w+: "[^"]*": ENOSPC: .*; make room there [^\n]*\n$/);
    }
    const [checked, tree] = results as [typeof results[0], typeof results[0]];
    assertMatch(checked!.out, /^clean: 2 files, 3 directories/);
    assertMatch(tree!.out, /^ {2}c \(1073741824\)$/m);
    assert(!/big|\.cairn-|\.put-/.test(tree!.out), tree!.out);
    assertEquals(out.slice(end + 1).trim().split("\n"), ["filler", "full", "v"]);
  });
});

Deno.test("cairn says it in one line when its output has no room", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/v`);
    const { err } = inShell(
      `for words in "ls v" "cat v /a" "tree v"; do cairn $words > /dev/full; echo "status $?" >&2; done`,
      folder,
    );
    const lines = err.trimEnd().split("\n");
    assertEquals(lines.length, 6, err);
    for (let at = 0; at < 6; at += 2) {
      assertMatch(lines[at]!, /^cairn (ls|cat|tree): .*ENOSPC: /);
      assertEquals(lines[at + 1], "status 2");
    }
  });
});
