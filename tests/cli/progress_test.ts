/**
 * What is shown on a terminal and nowhere else: progress, and colours.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileHandle } from "../../opfs/device/file.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { cairn, inFolder } from "../support/command_line.ts";
import { onTerminal } from "../support/hostile_host.ts";

const FILE = { mode: 0o100644, uid: 0, gid: 0 };
const ERASE = "\r\x1b[K";

/** An image that takes its time: a gap before what is long, or many names. */
function longImage(path: string, { names, fileBytes }: { names: number; fileBytes: number }): void {
  const volume = openVolumeSync(fileHandle(path));
  const bytes = new Uint8Array(fileBytes);
  for (const name of ["gone", "kept"]) {
    volume.write(volume.create(volume.root, name, FILE), bytes.fill(7), 0);
  }
  for (let file = 0; file < names; file++) volume.create(volume.root, `f${file}`, FILE);
  volume.unlink(volume.root, "gone");
  volume.close();
}

Deno.test("cairn shows progress on a terminal, erases it, and shows none in a pipe", () => {
  inFolder((folder) => {
    longImage(`${folder}/v`, { names: 100, fileBytes: 200_000_000 });
    longImage(`${folder}/many`, { names: 8000, fileBytes: 1000 });
    longImage(`${folder}/damaged`, { names: 150_000, fileBytes: 1000 });
    const bytes = Deno.readFileSync(`${folder}/damaged`);
    bytes[new DataView(bytes.buffer).getFloat64(24, true) + 40 * 64] = 99;
    Deno.writeFileSync(`${folder}/damaged`, bytes);
    const rows: [words: string[], shown: RegExp][] = [
      [["compact", "v"], /^compacting \d+ %$/m],
      [["cp", "-r", "many:/", "out"], /^copying \d+ entr(y|ies), [\d.]+ ([KMG]i)?B$/m],
      [["get", "v", "/kept", "got"], /^getting \d+ %$/m],
      [["put", "v", "got", "/kept2"], /^putting \d+ %$/m],
      [["check", "damaged"], /^checking \d+ %$/m],
      [["check", "--repair", "damaged"], /^repairing \d+ %$/m],
    ];
    for (const [words, shown] of rows) {
      const parts = onTerminal(words, folder).split(ERASE);
      assertMatch(parts.slice(0, -1).join("\n"), shown, words.join(" "));
      assert(!/ing \d+ (%|entr)/.test(parts.at(-1)!), `${words} is not erased: ${parts.at(-1)}`);
    }
    Deno.copyFileSync(`${folder}/damaged.damaged`, `${folder}/again`);
    const { err, out } = cairn(["check", "--repair", "again"], { cwd: folder });
    assertEquals(/checking|repairing|\r/.test(err + out), false, err + out);
  });
});
