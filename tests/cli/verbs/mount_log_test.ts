/** Where the words of a mount's server go. */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { MountLog } from "../../../cli/verbs/mount_log.ts";
import type { Terminal } from "../../../cli/shared/verb.ts";
import { inFolder } from "../../support/command_line.ts";

const saying = (say: (line: string) => void): Terminal => ({ say } as Terminal);

Deno.test("MountLog adds to the file that is named, one line for a message", () => {
  inFolder((folder) => {
    const [image, path] = [`${folder}/a\x1b`, `${folder}/log`];
    Deno.writeTextFileSync(path, "before\n");
    const said: string[] = [];
    const log = new MountLog(image, { path, terminal: saying((line) => void said.push(line)) });
    log.add("EIO: cannot\nread");
    log.close();
    const [first, second, rest] = Deno.readTextFileSync(path).split("\n");
    assertEquals([first, rest], ["before", ""]);
    assertMatch(second!, /^\d{4}-.*Z ".*\/a\\x1b": EIO: cannot\\nread$/);
    assertMatch(said.join("\n"), /^cairn mount: ".*\/a\\x1b": EIO: cannot\\nread$/);
  });
});

Deno.test("MountLog makes no file that was not named, and outlives its terminal", () => {
  inFolder((folder) => {
    const image = `${folder}/a`;
    Deno.writeTextFileSync(image, "image");
    const gone = saying(() => {
      throw new Error("the output is not read any more");
    });
    const log = new MountLog(image, { terminal: gone });
    log.add("EIO");
    log.close();
    const names = (): string[] => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assertEquals(names(), ["a"]);
    const kept = new MountLog(image, { path: `${folder}/log`, terminal: gone });
    kept.add("EIO");
    kept.close();
    assertMatch(Deno.readTextFileSync(`${folder}/log`), /EIO\n$/);
    Deno.linkSync(image, `${folder}/b`);
    for (const path of [image, `${folder}/b`]) {
      const open = () => new MountLog(image, { path, terminal: gone });
      assertThrows(open, Error, "EINVAL: cannot keep the log in the image itself");
    }
    assertThrows(
      () => new MountLog(image, { path: `${folder}/no/log`, terminal: gone }),
      Error,
      "ENOENT",
    );
    assertEquals(Deno.readTextFileSync(image), "image");
  });
});
