/**
 * `cairn import` of a version-1 image, as a process.
 */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { openVersion1 } from "../../../cli/exchange/import_version1.ts";
import { Findings, memoryHandle, openVolumeSync, TransferClock } from "../../../opfs/mod.ts";
import { cairn, inFolder } from "../../support/command_line.ts";
import { sampleVersion1 } from "../../support/version1_builder.ts";

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
}

Deno.test("cairn import makes a clean volume and says what is in it", () => {
  inFolder((folder) => {
    Deno.writeFileSync(`${folder}/v1`, sampleVersion1().build());
    const ended = cairn(["import", `${folder}/v1`, `${folder}/v2`]);
    assertEquals(ended, { ...ended, status: 0, out: "1 file, 1 directory, 8 bytes\n", err: "" });
    assertEquals(namesIn(folder), ["v1", "v2"]);
    assertEquals(Deno.readFileSync(`${folder}/v1`), sampleVersion1().build());
    assertEquals(cairn(["check", `${folder}/v2`]).status, 0);
    const line = cairn(["tree", "--json", `${folder}/v2`]).out.split("\n")[1]!;
    const { mode, uid, mtimeMs, ctimeMs } = JSON.parse(line);
    assertEquals([mode, uid, mtimeMs, ctimeMs], ["100600", 501, -1.5, 7]);
  });
});

Deno.test("cairn import says what was left out, and ends with 1", () => {
  inFolder((folder) => {
    const builder = sampleVersion1();
    builder.symlink("/long", "t".repeat(5000));
    builder.superblock = { pathUsed: 1 };
    Deno.writeFileSync(`${folder}/v1`, builder.build());
    const { status, err, out } = cairn(["import", "--json", `${folder}/v1`, `${folder}/v2`]);
    assertEquals(status, 1);
    assertMatch(err, /^note: path-used: /m);
    assertMatch(err, /^lost: unstorable: "\/long": .* 5000 bytes, 4095 at most$/m);
    assertEquals(JSON.parse(out).isComplete, false);
    assertEquals(JSON.parse(out).findings.length, 2);
  });
});

Deno.test("cairn import refuses what would mix data unless it is to repair", () => {
  inFolder((folder) => {
    const builder = sampleVersion1();
    builder.file("/a", "another");
    Deno.writeFileSync(`${folder}/v1`, builder.build());
    const refused = cairn(["import", `${folder}/v1`, `${folder}/v2`]);
    assertEquals([refused.status, refused.out], [2, ""]);
    assertMatch(refused.err, /^refused: path-duplicate: "\/a": slot 1 and slot 2/m);
    assertMatch(refused.err, /^cairn import: ".*v1": EIO: .*"\/a".*import --repair/m);
    assertEquals(namesIn(folder), ["v1"]);
    const repaired = cairn(["import", "--repair", `${folder}/v1`, `${folder}/v2`]);
    assertEquals(repaired.status, 1);
    assertEquals(cairn(["cat", `${folder}/v2`, "/a"]).out, "another");
    assertEquals(cairn(["cat", `${folder}/v2`, "/lost+found/slot-1"]).out, "contents");
  });
});

Deno.test("openVersion1() does not import an image that is written while it is read", () => {
  inFolder((folder) => {
    const path = `${folder}/v1`;
    Deno.writeFileSync(path, sampleVersion1().build());
    const source = openVersion1(path, { repair: false, terminal: null! });
    const volume = openVolumeSync(memoryHandle());
    const target = {
      volume,
      clock: new TransferClock(),
      nowMs: 0,
      findings: new Findings(),
    };
    const steps = source.steps(target) as Generator;
    Deno.writeFileSync(path, new Uint8Array(1), { append: true });
    assertThrows(() => [...steps], Error, "written while it was read");
    source.close();
  });
});
