/**
 * `cairn import` as a process.
 */
import { assert, assertEquals } from "@std/assert";
import { assertFails, cairn, command, inFolder } from "../../support/command_line.ts";
import { sampleVersion1, Version1Builder } from "../../support/version1_builder.ts";

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
}

Deno.test("cairn import refuses bad sources and leaves no file", () => {
  inFolder((folder) => {
    const target = `${folder}/v2`;
    Deno.writeTextFileSync(`${folder}/text`, "x".repeat(20_000));
    Deno.writeFileSync(`${folder}/gz`, new Uint8Array([0x1f, 0x8b, 8, 0, ...new Uint8Array(99)]));
    assertFails(["import", `${folder}/none`, target], /".*none": ENOENT/);
    assertFails(["import", `${folder}/text`, target], /".*text": EINVAL: .*magic/);
    assertFails(["import", `${folder}/gz`, target], /gzip/);
    assertEquals(cairn(["mkfs", `${folder}/volume`]).status, 0);
    assertFails(["import", `${folder}/volume`, target], /ENOTSUP: .*version-2/);
    assertEquals(namesIn(folder), ["gz", "text", "volume"]);
  });
});

Deno.test("cairn import takes an archive with nothing in it, and a damaged volume for none", () => {
  inFolder((folder) => {
    for (const name of ["none.tar", "v1"]) {
      Deno.writeFileSync(`${folder}/${name}`, new Uint8Array(10_240));
    }
    assertEquals(cairn(["import", `${folder}/none.tar`, `${folder}/v2`]).status, 0);
    assertEquals(cairn(["ls", `${folder}/v2`]).out, "");
    assertFails(["import", `${folder}/v1`, `${folder}/v3`], /EINVAL: .*magic/);
  });
});

Deno.test("cairn import replaces a file only when an option says so", () => {
  inFolder((folder) => {
    Deno.writeFileSync(`${folder}/v1`, sampleVersion1().build());
    Deno.writeTextFileSync(`${folder}/v2`, "mine");
    assertFails(["import", `${folder}/v1`, `${folder}/v2`], /".*v2": EEXIST: .*--force/);
    assertEquals(Deno.readTextFileSync(`${folder}/v2`), "mine");
    assertFails(["import", `${folder}/v1`, `${folder}/no/v2`], /".*no\/v2": ENOENT/);
    assertFails(["import", "--force", `${folder}/v1`, folder], /EISDIR/);
    assertEquals(cairn(["import", "--force", `${folder}/v1`, `${folder}/v2`]).status, 0);
    Deno.writeTextFileSync(`${folder}/empty`, "");
    assertEquals(cairn(["import", `${folder}/v1`, `${folder}/empty`]).status, 0);
  });
});

Deno.test("cairn import leaves no file when it is interrupted", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const builder = new Version1Builder({ blockSize: 65536, blockCount: 2048 });
    builder.directory("/");
    for (let index = 0; index < 8; index++) {
      builder.add({
        type: 1,
        path: `/big${index}`,
        size: 16 * 1024 ** 2,
        firstBlock: index * 256,
        blockCount: 256,
      });
    }
    Deno.writeFileSync(`${folder}/v1`, builder.build());
    const child = command(["import", `${folder}/v1`, `${folder}/v2`]).spawn();
    while (!namesIn(folder).some((name) => name.startsWith("v2.new"))) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    child.kill("SIGINT");
    const { code } = await child.status;
    await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
    // A fast one is done before the signal comes.
    const isDone = namesIn(folder).includes("v2");
    assertEquals(code, isDone ? 0 : 130);
    assertEquals(namesIn(folder), isDone ? ["v1", "v2"] : ["v1"]);
    assert(isDone || Deno.readFileSync(`${folder}/v1`).length > 0);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
