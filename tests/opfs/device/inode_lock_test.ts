/** The lock of device and inode: every name of a file meets it, in Deno and in Node. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { fileHandle } from "../../../opfs/device/file.ts";
import type { Host } from "../../../opfs/device/host.ts";
import { lockInode } from "../../../opfs/device/inode_lock.ts";
import { UNPRIVILEGED } from "../../support/bad_images.ts";
import { denoOpener, inFolderOfLocks, kill, openers } from "../../support/lock_processes.ts";
import { hostCommand } from "../../../tools/programs.ts";

const HOSTS = ["deno", "node"] as const;

Deno.test("lockInode() is met by every name of a file, between Deno and Node", async () => {
  const hosts = await openers();
  for (const holder of HOSTS) {
    await inFolderOfLocks(async (folder) => {
      fileHandle(`${folder}/a`).close();
      Deno.mkdirSync(`${folder}/sub`);
      Deno.symlinkSync("a", `${folder}/link`);
      Deno.symlinkSync("../link", `${folder}/sub/far`);
      Deno.symlinkSync("sub", `${folder}/folder`);
      Deno.linkSync(`${folder}/a`, `${folder}/sub/hard`);
      const child = await hosts[holder].hold(`${folder}/a`);
      try {
        Deno.symlinkSync("a", `${folder}/late`);
        Deno.renameSync(`${folder}/a`, `${folder}/renamed`);
        Deno.symlinkSync("renamed", `${folder}/a`);
        const spellings = [
          ...["a", "link", "late", "renamed", "sub/far", "sub/hard", "folder/hard"],
          ...["./renamed", "sub/.././renamed", "/proc/self/cwd/renamed"],
          ...[`${folder}/renamed`, `/proc/${Deno.pid}/root${folder}/renamed`],
        ];
        for (const opener of HOSTS) {
          const said = (await hosts[opener].open(spellings, folder)).split("\n");
          for (const [index, path] of spellings.entries()) {
            assertStringIncludes(said[index]!, "EBUSY", `${holder}, ${opener}, ${path}`);
          }
        }
      } finally {
        await kill(child);
      }
      for (const opener of HOSTS) {
        assertEquals(await hosts[opener].open(`${folder}/sub/hard`), "open");
      }
    });
  }
});

Deno.test("lockInode() is met through a descriptor of the file", async () => {
  await inFolderOfLocks((folder) => {
    const first = fileHandle(`${folder}/a`);
    const plain = Deno.openSync(`${folder}/a`);
    const fds = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => `/proc/self/fd/${name}`)
      .filter((path) => linkOf(path) === `${folder}/a`);
    assertEquals(fds.length >= 2, true);
    for (const path of fds) {
      assertEquals(outcomeOf(() => fileHandle(path).close()), "EBUSY");
    }
    first.close();
    fileHandle(fds.find((path) => linkOf(path) === `${folder}/a`)!).close();
    plain.close();
    return Promise.resolve();
  });
});

Deno.test("lockInode() says that a file has moved which is removed before it is locked", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/a`;
  const { process } = globalThis as unknown as { process: Host["process"] };
  const host: Host = { fs: process.getBuiltinModule("fs"), process };
  const fd = host.fs.openSync(path, host.fs.constants.O_RDWR | host.fs.constants.O_CREAT, 0o644);
  Deno.removeSync(path);
  assertEquals(lockInode({ fd, path }, host), "moved");
  Deno.writeTextFileSync(path, "another");
  assertEquals(lockInode({ fd, path }, host), "moved");
  host.fs.closeSync(fd);
  Deno.removeSync(folder, { recursive: true });
});

function linkOf(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}

function outcomeOf(work: () => void): string {
  try {
    work();
    return "ok";
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
}

Deno.test("lockInode() is met where the file is bound to another place", async () => {
  await inFolderOfLocks((folder) => {
    const first = fileHandle(`${folder}/a`);
    Deno.writeTextFileSync(`${folder}/bound`, "");
    const source = new URL("../../../opfs/device/file.ts", import.meta.url).href;
    const code = `import { fileHandle } from ${JSON.stringify(source)};
      try { fileHandle("bound"); console.log("open"); } catch (error) { console.log(error.code); }`;
    const script = `mount --bind a bound || exit 99; "$@"`;
    const args = ["sh", "-c", script, "sh", Deno.execPath(), "run", "-A", "--no-config"];
    const own = Deno.uid() === 0 ? ["--mount"] : ["--user", "--map-root-user", "--mount"];
    const { stdout } = hostCommand("unshare", {
      args: [...own, ...args, `data:text/javascript,${encodeURIComponent(code)}`],
      cwd: folder,
    }).outputSync();
    assertEquals(new TextDecoder().decode(stdout).trim(), "EBUSY");
    first.close();
    return Promise.resolve();
  });
});

Deno.test("lockInode() holds alone where nothing can be made in the folder", async () => {
  await inFolderOfLocks(async (folder) => {
    const path = `${folder}/a`;
    fileHandle(path).close();
    Deno.chmodSync(path, 0o666);
    Deno.chmodSync(folder, 0o555);
    const unprivileged = denoOpener(["--allow-all"], UNPRIVILEGED);
    const child = await unprivileged.hold(path);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["a"]);
    const { node } = await openers();
    for (const opener of [node, unprivileged]) {
      assertStringIncludes(await opener.open(path), "EBUSY");
    }
    await kill(child);
    assertEquals(await unprivileged.open([path, path]), "open\nopen");
    assertStringIncludes(await unprivileged.open(`${folder}/new`), "EACCES");
    Deno.chmodSync(folder, 0o755);
  });
});
