/** watch: who hears of what. @module */
import { type Case, say, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "watch() of a directory hears of names that are made, moved and removed",
    run(fs, t) {
      fs.mkdir("/d");
      const heard: string[] = [];
      const watch = fs.watch("/d", ({ type, name }) => heard.push(`${type} ${name}`));
      fs.create("/d/a");
      fs.rename("/d/a", "/d/b");
      fs.unlink("/d/b");
      t.eq([heard.includes("create a"), heard.at(-1)], [true, "delete b"]);
      t.eq(heard.some((line) => line.endsWith(" b") && line.startsWith("rename")), true);
      watch.close();
      const before = heard.length;
      fs.create("/d/c");
      t.eq(heard.length, before);
    },
  },
  {
    name: "watch() of a file hears of its contents, by whatever name it is changed",
    run(fs, t) {
      fs.writeFile("/f", "");
      fs.link("/f", "/g");
      const heard: string[] = [];
      const watch = fs.watch("/f", ({ type }) => heard.push(type));
      within(fs, "/g", "r+", (stream) => say(fs, stream, "x"));
      t.eq(heard, ["modify"]);
      fs.chmod("/f", 0o600);
      t.eq(heard.at(-1), "attrib");
      watch.close();
      t.fails("ENOENT", () => fs.watch("/missing", () => {}));
    },
  },
];
