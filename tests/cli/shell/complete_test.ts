/** Completion in the shell. */
import { assertEquals } from "@std/assert";
import { filesOf } from "../../../cli/shared/image.ts";
import { complete } from "../../../cli/shell/complete.ts";
import { memoryHandle, openVolumeSync } from "../../../opfs/mod.ts";

Deno.test("complete() knows verbs, paths in the volume and paths of the host", () => {
  const folder = Deno.makeTempDirSync();
  const volume = openVolumeSync(memoryHandle());
  try {
    const files = filesOf(volume, { readOnly: false });
    files.mkdir("/dir");
    files.mkdir("/dir/deep");
    for (const name of ["/data", "/dir/two words", "/.hidden"]) files.writeFile(name, "");
    Deno.writeTextFileSync(`${folder}/host`, "");
    const verbs = ["cat", "cd", "chmod", "ls", "put"];
    const of = (line: string, directory = "/"): [string[], string] =>
      complete(line, { verbs, directory, withFiles: (work) => work(files) });
    assertEquals(of("c"), [["cat ", "cd ", "chmod "], "c"]);
    assertEquals(of(""), [["cat ", "cd ", "chmod ", "ls ", "put "], ""]);
    assertEquals(of("help c"), [["cat", "cd", "chmod"], "c"]);
    assertEquals(of("cat d"), [["data ", "dir/"], "d"]);
    assertEquals(of("cd d"), [["dir/"], "d"]);
    assertEquals(of("cat "), [["data ", "dir/"], ""]);
    assertEquals(of("ls -l /dir/t"), [["/dir/two\\ words "], "/dir/t"]);
    assertEquals(of("cat two\\ w", "/dir"), [["two\\ words "], "two\\ w"]);
    assertEquals(of('cat "two w', "/dir"), [["two\\ words "], '"two w']);
    assertEquals(of("cat ../da", "/dir"), [["../data "], "../da"]);
    assertEquals(of("cat .h"), [[".hidden "], ".h"]);
    assertEquals(of("chmod d"), [[], "d"]);
    assertEquals(of("chmod 600 da"), [["data "], "da"]);
    assertEquals(of(`put ${folder}/h`), [[`${folder}/host `], `${folder}/h`]);
    assertEquals(of(`put ${folder}/host di`), [["dir/"], "di"]);
    assertEquals(of("cat nowhere/x"), [[], "nowhere/x"]);
    assertEquals(of("frob x"), [[], "x"]);
  } finally {
    volume.close();
    Deno.removeSync(folder, { recursive: true });
  }
});
