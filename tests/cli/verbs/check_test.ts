/**
 * `cairn check` as a process: 0 clean, 1 found, 2 unusable.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { assertFails, cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";

/** The bitmap of a fresh image begins where its superblock says. */
function soilBitmap(path: string): void {
  const bytes = Deno.readFileSync(path);
  const bitmapOffset = new DataView(bytes.buffer).getFloat64(48, true);
  bytes[bitmapOffset]! ^= 1 << 5;
  Deno.writeFileSync(path, bytes);
}

Deno.test("cairn check ends with 0 for a clean volume", () => {
  inFolder((folder) => {
    cairn(["mkfs", `${folder}/v`]);
    Deno.writeTextFileSync(`${folder}/a`, "a");
    cairn(["put", `${folder}/v`, `${folder}/a`]);
    const { status, out, err } = cairn(["check", `${folder}/v`]);
    assertEquals([status, err], [0, ""]);
    assertMatch(out, /^clean: 1 file, 1 directory, /);
    const json = JSON.parse(cairn(["check", "--json", `${folder}/v`]).out);
    assertEquals([json.clean, json.violations, json.files], [true, [], 1]);
  });
});

Deno.test("cairn check ends with 1 and names what it found", () => {
  inFolder((folder) => {
    cairn(["mkfs", `${folder}/v`]);
    Deno.writeTextFileSync(`${folder}/a`, "a");
    cairn(["put", `${folder}/v`, `${folder}/a`]);
    soilBitmap(`${folder}/v`);
    const before = Deno.readFileSync(`${folder}/v`);
    const { status, out } = cairn(["check", `${folder}/v`]);
    assertEquals(status, 1, out);
    assertMatch(out, /^V2: .*5/m);
    assertMatch(out, /^1 violation: /m);
    const json = cairn(["check", "--json", `${folder}/v`]);
    assertEquals([json.status, JSON.parse(json.out).violations[0].rule], [1, "V2"]);
    assertEquals(Deno.readFileSync(`${folder}/v`), before);
  });
});

Deno.test("cairn check ends with 2 for what it cannot look into", () => {
  inFolder((folder) => {
    refusesBadImages(folder, ["check"]);
    Deno.writeTextFileSync(`${folder}/empty`, "");
    assertFails(["check", `${folder}/empty`], /".*empty": E/);
  });
});
