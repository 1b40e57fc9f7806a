/**
 * `cairn get` as a process.
 */
import { assertEquals } from "@std/assert";
import { assertAllFail, cairn, inFolder, refusesBadImages } from "../../support/command_line.ts";

Deno.test("cairn get brings a file back with mode and time", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    const bytes = new Uint8Array(2_500_000).map((_, index) => index >> 5);
    cairn(["mkfs", image]);
    Deno.writeFileSync(`${folder}/a`, bytes, { mode: 0o600 });
    Deno.utimeSync(`${folder}/a`, 1_000, 2_000);
    cairn(["put", image, `${folder}/a`]);
    assertEquals(cairn(["get", image, "/a", `${folder}/b`]).status, 0);
    assertEquals(Deno.readFileSync(`${folder}/b`), bytes);
    const { mode, mtime } = Deno.statSync(`${folder}/b`);
    assertEquals([mode! & 0o777, mtime!.getTime()], [0o600, 2_000_000]);
    Deno.mkdirSync(`${folder}/into`);
    assertEquals(cairn(["get", image, "/a", `${folder}/into`]).status, 0);
    assertEquals(Deno.statSync(`${folder}/into/a`).size, bytes.length);
    assertEquals(cairn(["get", image, "/a"], { cwd: `${folder}/into` }).status, 2);
    assertEquals(cairn(["get", "--force", image, "/a"], { cwd: `${folder}/into` }).status, 0);
  });
});

Deno.test("cairn get refuses bad input and makes nothing", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    refusesBadImages(folder, ["get", "/a", `${folder}/out`]);
    cairn(["mkfs", image]);
    assertAllFail([
      [["get", image, "/none", `${folder}/out`], /v:\/none": ENOENT/],
      [["get", image, "/", `${folder}/out`], /v:\/": EISDIR/],
    ]);
    Deno.writeTextFileSync(`${folder}/a`, "a");
    cairn(["put", image, `${folder}/a`]);
    const whole = Deno.readFileSync(image);
    assertAllFail([
      [["get", "--force", image, "/a", image], /v": EBUSY: .* it is the image itself/],
    ]);
    assertEquals(Deno.readFileSync(image), whole);
    const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
    assertEquals(names, ["a", "text", "v"]);
  });
});
