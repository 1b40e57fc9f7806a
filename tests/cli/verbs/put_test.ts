/**
 * `cairn put` as a process.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  assertAllFail,
  assertFails,
  cairn,
  command,
  inFolder,
  refusesBadImages,
} from "../../support/command_line.ts";

Deno.test("cairn put copies a file with mode and time, and replaces what was there", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    cairn(["mkfs", image]);
    Deno.writeFileSync(`${folder}/a`, new Uint8Array(2_500_000).fill(7), { mode: 0o640 });
    Deno.utimeSync(`${folder}/a`, 1_000, 2_000.5);
    assertEquals(cairn(["put", image, `${folder}/a`]).status, 0);
    const json = JSON.parse(cairn(["stat", "--json", image, "/a"]).out);
    assertEquals([json.size, json.mode, json.mtimeMs], [2_500_000, "100640", 2_000_500]);
    Deno.writeTextFileSync(`${folder}/a`, "shorter");
    assertEquals(cairn(["put", image, `${folder}/a`, "b"]).status, 0);
    assertEquals(cairn(["put", image, `${folder}/a`, "/a"]).status, 0);
    assertEquals(cairn(["cat", image, "/a", "/b"]).out, "shortershorter");
    assertEquals(cairn(["ls", "-a", image]).out, ".\n..\na\nb\n");
    assertEquals(cairn(["check", image]).status, 0);
  });
});

Deno.test("cairn put reads the standard input", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    cairn(["mkfs", `${folder}/v`]);
    const child = command(["put", `${folder}/v`, "-", "/in"], { stdin: "piped" }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("from a pipe"));
    await writer.close();
    assertEquals((await child.output()).code, 0);
    assertEquals(cairn(["cat", `${folder}/v`, "/in"]).out, "from a pipe");
    assertFails(["put", `${folder}/v`, "-"], /"-": EINVAL/);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("cairn put and get carry a file with holes without filling them", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    cairn(["mkfs", image]);
    // Data, a hole, data, and a hole at the end: far more than a disk has room for.
    const file = Deno.openSync(`${folder}/a`, { write: true, create: true });
    file.writeSync(new Uint8Array(5).fill(65));
    file.seekSync(2 ** 42, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(5).fill(66));
    file.truncateSync(2 ** 43 + 7);
    file.close();
    assertEquals(cairn(["put", image, `${folder}/a`]).status, 0);
    assert(Deno.statSync(image).size < 2 ** 22);
    assertEquals(cairn(["get", image, "/a", `${folder}/b`]).status, 0);
    const { size, blocks } = Deno.statSync(`${folder}/b`);
    assertEquals([size, blocks! < 100], [2 ** 43 + 7, true]);
    const copy = Deno.openSync(`${folder}/b`);
    const bytes = new Uint8Array(7);
    for (const [at, wanted] of [[0, 65], [2 ** 42, 66]] as const) {
      copy.seekSync(at, Deno.SeekMode.Start);
      copy.readSync(bytes);
      assertEquals([...bytes], [...Array(5).fill(wanted), 0, 0]);
    }
    copy.close();
    assertEquals(cairn(["check", image]).status, 0);
  });
});

Deno.test("cairn put waits for its input, and gives what it makes the group of the folder", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const image = `${folder}/v`;
    cairn(["mkfs", image]);
    cairn(["mkdir", "-m", "2755", image, "/d"]);
    cairn(["chown", image, "0:7", "/d"]);
    const child = command(["put", image, "-", "/d/a"], { stdin: "piped" }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("one "));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await writer.write(new TextEncoder().encode("two"));
    await writer.close();
    assertEquals((await child.output()).code, 0);
    assertEquals(cairn(["cat", image, "/d/a"]).out, "one two");
    assertMatch(cairn(["ls", "-l", image, "/d/a"]).out, /^-rw-r--r-- 1 0 7 /);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("cairn put refuses bad input and leaves the volume as it was", () => {
  inFolder((folder) => {
    const image = `${folder}/v`;
    Deno.writeTextFileSync(`${folder}/a`, "a");
    refusesBadImages(folder, ["put", `${folder}/a`]);
    cairn(["mkfs", image]);
    assertAllFail([
      [["put", image, `${folder}/none`], /".*none": ENOENT/],
      [["put", image, folder], /EISDIR/],
      [["put", image, image], /v": EINVAL: cannot put an image into itself/],
      [["put", image, `${folder}/a`, "/no/such"], /v:\/no\/such": ENOENT/],
      [["put", image, `${folder}/a`, `/${"n".repeat(256)}`], /ENAMETOOLONG/],
    ]);
    assertEquals(cairn(["tree", image]).out, "/\n");
    assertEquals(cairn(["check", image]).status, 0);
  });
});
