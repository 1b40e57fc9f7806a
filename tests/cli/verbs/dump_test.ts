/** `cairn dump` as a process. */
import { assertEquals, assertMatch } from "@std/assert";
import { assertFails, cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";

Deno.test("cairn dump shows headers, a slot, names, journal and blocks", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    cairn(["mkfs", "--label", "mine", image]);
    Deno.writeTextFileSync(`${folder}/note`, "x".repeat(5000));
    cairn(["put", image, `${folder}/note`]);
    const before = Deno.readFileSync(image);
    const all = cairn(["dump", image]);
    assertEquals([all.status, all.err], [0, ""]);
    assertMatch(all.out, /^header at \d+ \(this one counts\): closed, .*, label "mine"$/m);
    assertMatch(all.out, /^blockSize: 4096$/m);
    assertMatch(all.out, /^names: 65536 bytes from 0 on, at \d+, sums at \d+$/m);
    const slot = cairn(["dump", "--slot", "32", image]).out;
    assertMatch(slot, /^type: file$/m);
    assertMatch(slot, /^name: "note" in slot 0$/m);
    assertMatch(slot, /^runs: 0: \d+\+2$/m);
    assertMatch(cairn(["dump", "--names", image]).out, /^\d+: slot 32 in 0: "note"\n$/);
    assertMatch(cairn(["dump", "--blocks", image]).out, /^\d+ to \d+: slot 32, from 0 on\n$/);
    assertEquals(cairn(["dump", "--journal", image]).out, "");
    const json = cairn(["dump", "--slot", "32", "--json", image]).out;
    assertEquals([JSON.parse(json).type, JSON.parse(json).size], ["file", 5000]);
    for (const line of cairn(["dump", "--json", image]).out.trim().split("\n")) JSON.parse(line);
    assertEquals(Deno.readFileSync(image), before);
    assertEquals(cairn(["dump", "--slot", "5000", image]).status, 2);
    assertFails(["dump", "--slot", "x", image], /--slot is "x"/);
    refusesBadImages(folder, ["dump"]);
  });
});

Deno.test("cairn dump takes what is wanted as a word, too, and draws the map", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    cairn(["mkfs", image]);
    Deno.writeTextFileSync(`${folder}/note`, "x".repeat(5000));
    cairn(["put", image, `${folder}/note`]);
    assertMatch(cairn(["dump", image, "slot", "32"]).out, /^type: file$/m);
    assertEquals(cairn(["dump", image, "names"]).out, cairn(["dump", "--names", image]).out);
    assertEquals(cairn(["dump", image, "superblock"]).out, cairn(["dump", image]).out);
    const map = cairn(["dump", image, "map"]);
    assertMatch(map.out, /^ +0 [#.]+$/m);
    assertMatch(map.out, /^ +1 +2 {2}\/note$/m);
    assertEquals(JSON.parse(cairn(["dump", "--json", "--map", image]).out).files[0].path, "/note");
    const svg = `${folder}/map.svg`;
    assertEquals(cairn(["dump", "--svg", svg, image]), {
      ...map,
      out: "",
      bytes: new Uint8Array(0),
    });
    assertMatch(Deno.readTextFileSync(svg), /^<svg .*<title>blocks \d+ to \d+: \/note, 1 piece/s);
    assertFails(["dump", "--svg", svg, image], /".*map.svg": EEXIST/);
    assertFails(["dump", "--svg", `${folder}/no/map.svg`, image], /ENOENT/);
    assertFails(["dump", image, "slot"], /"slot" is not one of/);
    assertFails(["dump", image, "map", "5"], /"5" is not one of/);
  });
});
