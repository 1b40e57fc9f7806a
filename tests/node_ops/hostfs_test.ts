import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { HOSTFS } from "../../node_ops/hostfs.ts";
import { assertErrno } from "../support/errno.ts";

/** A mounted directory beside a secret that must stay outside. */
function within(body: (fs: FS, folder: string) => void): void {
  const folder = Deno.makeTempDirSync();
  Deno.mkdirSync(`${folder}/in`);
  Deno.writeTextFileSync(`${folder}/secret`, "outside");
  const fs = createFS();
  fs.mkdir("/host");
  fs.mount(HOSTFS, { directory: `${folder}/in` }, "/host");
  try {
    body(fs, folder);
  } finally {
    fs.quit();
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("HOSTFS reads and writes the host's files", () => {
  within((fs, folder) => {
    fs.mkdir("/host/d");
    fs.writeFile("/host/d/f", "from us");
    assertEquals(Deno.readTextFileSync(`${folder}/in/d/f`), "from us");
    Deno.writeTextFileSync(`${folder}/in/d/f`, "from the host");
    assertEquals(fs.readFile("/host/d/f", { encoding: "utf8" }), "from the host");
    Deno.removeSync(`${folder}/in/d/f`);
    assertErrno("ENOENT", () => fs.stat("/host/d/f"));
  });
});

Deno.test("HOSTFS does not leave its directory by ..", () => {
  within((fs) => {
    for (const path of ["/host/../secret", "/host/d/../../secret", "/host/../../../secret"]) {
      assertErrno("ENOENT", () => fs.readFile(path));
    }
  });
});

Deno.test("HOSTFS does not leave its directory by links of the host", () => {
  within((fs, folder) => {
    Deno.symlinkSync("../secret", `${folder}/in/up`);
    Deno.symlinkSync(`${folder}/secret`, `${folder}/in/absolute`);
    Deno.symlinkSync("..", `${folder}/in/dir`);
    for (const path of ["/host/up", "/host/absolute", "/host/dir/secret"]) {
      assertErrno("ENOENT", () => fs.readFile(path));
      assertErrno("ENOENT", () => fs.chmod(path, 0o777));
      assertErrno("ENOENT", () => fs.truncate(path, 0));
    }
    assertEquals(fs.readlink("/host/up"), "../secret");
    fs.writeFile("/host/dir/made", "");
    assertEquals(fs.analyzePath("/made").exists, true);
    assertEquals([...Deno.readDirSync(folder)].map((entry) => entry.name).sort(), ["in", "secret"]);
    assertEquals(Deno.readTextFileSync(`${folder}/secret`), "outside");
  });
});

Deno.test("HOSTFS does not follow a directory that becomes a link while it is in use", () => {
  within((fs, folder) => {
    fs.mkdir("/host/d");
    fs.chdir("/host/d");
    fs.writeFile("f", "inside");
    Deno.removeSync(`${folder}/in/d`, { recursive: true });
    Deno.symlinkSync(folder, `${folder}/in/d`);
    for (const path of ["secret", "/host/d/secret"]) {
      let code = "";
      try {
        fs.readFile(path);
      } catch (error) {
        code = (error as { code: string }).code;
      }
      assertEquals(["EACCES", "ENOENT"].includes(code), true, `${path}: ${code}`);
    }
    assertErrno("EACCES", () => fs.writeFile("made", "x"));
    assertErrno("EACCES", () => fs.unlink("secret"));
    fs.chdir("/");
    assertEquals(Deno.readTextFileSync(`${folder}/secret`), "outside");
  });
});

Deno.test("HOSTFS.mount() wants a directory that is there", () => {
  const fs = createFS();
  fs.mkdir("/host");
  const file = Deno.makeTempFileSync();
  assertErrno("EINVAL", () => fs.mount(HOSTFS, {} as never, "/host"));
  assertErrno("EINVAL", () => fs.mount(HOSTFS, { directory: "" }, "/host"));
  assertErrno("ENOENT", () => fs.mount(HOSTFS, { directory: `${file}.missing` }, "/host"));
  assertErrno("ENOTDIR", () => fs.mount(HOSTFS, { directory: file }, "/host"));
  Deno.removeSync(file);
});
