/** The one path that a file of the host goes by, and the codes of its errors. */
import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { fileHandle } from "../../../opfs/device/file.ts";
import { folderOf, hostFor, realPath } from "../../../opfs/device/host.ts";
import { inFolderOfLocks } from "../../support/lock_processes.ts";

const { fs } = hostFor("test");

Deno.test("realPath() is one for all spellings, also of what is not there yet", async () => {
  await inFolderOfLocks((folder) => {
    Deno.mkdirSync(`${folder}/sub`);
    Deno.symlinkSync("sub", `${folder}/link`);
    Deno.symlinkSync("sub/new", `${folder}/dangling`);
    Deno.symlinkSync(`${folder}/dangling`, `${folder}/chain`);
    for (const path of ["sub/new", "link/new", "./sub/../link/new", "dangling", "chain"]) {
      assertEquals(realPath(`${folder}/${path}`, fs), `${folder}/sub/new`, path);
    }
    Deno.writeTextFileSync(`${folder}/sub/new`, "");
    for (const path of ["sub/new", "link/new", "chain"]) {
      assertEquals(realPath(`${folder}/${path}`, fs), `${folder}/sub/new`, path);
    }
    assertEquals(realPath("/no/such/folder", fs), "/no/such/folder");
    assertEquals(realPath("/nothing-here", fs), "/nothing-here");
    return Promise.resolve();
  });
});

Deno.test("realPath() follows no more links than Linux does", async () => {
  await inFolderOfLocks((folder) => {
    for (let link = 0; link < 50; link++) {
      Deno.symlinkSync(`${folder}/${link + 1}`, `${folder}/${link}`);
    }
    assertEquals(realPath(`${folder}/20`, fs), `${folder}/50`);
    assertEquals(realPath(`${folder}/5`, fs), `${folder}/5`);
    assertThrows(() => fileHandle(`${folder}/5`), ErrnoError, "ELOOP");
    return Promise.resolve();
  });
});

Deno.test("folderOf() is what a name is in", () => {
  assertEquals(["a", "/a", "/a/b", "a/b", "C:\\x\\b"].map(folderOf), [
    ".",
    "/",
    "/a",
    "a",
    "C:\\x",
  ]);
});
