/** `cairn bench` as a process. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertFails, cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";

interface Measured {
  sizeBytes: number;
  rounds: number;
  results: { name: string; raw: number; volume: number; ratio: number }[];
}

Deno.test("cairn bench measures a fresh volume beside a file, and removes both", () => {
  inFolder((folder) => {
    const options = ["--size", "1M", "--rounds", "1"];
    const { status, out, err } = cairn(["bench", ...options, "--json", "--dir", folder]);
    assertEquals([status, err], [0, ""]);
    const { sizeBytes, rounds, results }: Measured = JSON.parse(out);
    assertEquals([sizeBytes, rounds, results.length], [1024 * 1024, 1, 5]);
    for (const { name, raw, volume, ratio } of results) {
      assert(raw > 0 && volume > 0, name);
      assert(Math.abs(ratio - volume / raw) < 0.001 * ratio, name);
    }
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});

Deno.test("cairn bench measures an image, and leaves it as it was", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    cairn(["mkfs", image]);
    Deno.writeTextFileSync(`${folder}/note`, "mine");
    cairn(["put", image, `${folder}/note`]);
    const sizeBytes = Deno.statSync(image).size;
    const tree = cairn(["tree", "--json", "--hash", image]).out;
    const { status, out } = cairn(["bench", "--size", "4M", "--rounds", "1", image]);
    assertEquals(status, 0);
    assertMatch(out, /^ +plain file +volume +ratio$/m);
    assertMatch(out, /^sequential write, 128 KiB +\S+ [KMG]iB\/s +\S+ [KMG]iB\/s +\d+\.\d\d$/m);
    assertMatch(out, /^write 4 KiB, make it durable +\d+\/s +\d+\/s +\d+\.\d\d$/m);
    assertEquals(cairn(["tree", "--json", "--hash", image]).out, tree);
    assertEquals(cairn(["check", image]).status, 0);
    assert(Deno.statSync(image).size <= sizeBytes, "the image got longer");
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["note", "v"]);
  });
});

Deno.test("cairn bench refuses what it cannot measure", () => {
  inFolder((folder) => {
    refusesBadImages(folder, ["bench"]);
    assertFails(["bench"], /name an image, or a folder/);
    assertFails(["bench", "--dir", folder, `${folder}/v`], /name an image, or a folder/);
    assertFails(["bench", "--dir", `${folder}/none`], /".*none": ENOENT/);
    assertFails(["bench", "--size", "5", "--dir", folder], /--size is at least/);
    assertFails(["bench", "--rounds", "0", "--dir", folder], /--rounds is at least 1/);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["text"]);
  });
});
