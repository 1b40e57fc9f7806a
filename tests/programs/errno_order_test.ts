/**
 * The order of the checks: each call on each place of a tree answers what Linux answers, on a tmpfs
 * of this machine. The cases are in errno_cases.ts, the program that asks Linux is errno_order.c.
 */
import { assertEquals } from "@std/assert";
import { createFS, type FS, isErrnoError, MEMFS } from "../../mod.ts";
import { listCases, TREE } from "./errno_cases.ts";
import { compileNative, withFolder } from "./programs.ts";
import { hostCommand } from "../../tools/programs.ts";

/** A tmpfs that every Linux has. */
const TMPFS = "/dev/shm";

function run(fs: FS, call: string): void {
  const [name, ...words] = call.split(" ");
  const [path = "", other = ""] = words.map((word) => word === "@" ? "" : word);
  const [first, second] = words.slice(1).map(Number) as [number, number];
  switch (name) {
    case "open":
      return fs.close(fs.open(path, first, second));
    case "mknod":
      return void fs.mknod(path, first, second);
    case "symlink":
    case "link":
      return void fs[name](path, other);
    case "rename":
      return fs.rename(path, other, second);
    case "chown":
    case "lchown":
      return fs[name](path, first, second);
    case "mkdir":
    case "chmod":
    case "truncate":
    case "access":
      return void fs[name](path, first);
    case "utimens":
    case "rmdir":
    case "unlink":
    case "stat":
    case "lstat":
    case "readlink":
    case "chdir":
      return void fs[name](path);
    default:
      throw new TypeError(`there is no call "${name}"`);
  }
}

function makeTree(): FS {
  const fs = createFS({ root: { type: MEMFS, options: {} } });
  for (const call of TREE) run(fs, call);
  return fs;
}

/** What FS answers to each case: "ok" or the name of an error. A tree is used until it changes. */
function ask(cases: readonly string[]): string[] {
  let fs: FS | null = null;
  return cases.map((text) => {
    fs ??= makeTree();
    const [uid, call] = [parseInt(text), text.slice(text.indexOf(" ") + 1)];
    fs.setCredentials({ uid, gid: uid, groups: [] });
    try {
      run(fs, call);
      fs = null;
      return "ok";
    } catch (error) {
      if (isErrnoError(error)) return error.code;
      throw error;
    }
  });
}

async function askLinux(cases: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  await withFolder(async (folder) => {
    const program = await compileNative("errno_order.c", folder);
    const place = await Deno.makeTempDir({ dir: TMPFS, prefix: "cairn_errno_" });
    try {
      const script = [...TREE, "--", ...cases, ""].join("\n");
      await Deno.writeTextFile(`${folder}/script`, script);
      const command = hostCommand("sh", {
        args: ["-c", `"$0" "$1" < "$2"`, program, place, `${folder}/script`],
      });
      const { success, stdout, stderr } = await command.output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
      answers.push(...new TextDecoder().decode(stdout).trimEnd().split("\n"));
    } finally {
      await Deno.remove(place, { recursive: true });
    }
  });
  return answers.map((answer) => answer === "EOPNOTSUPP" ? "ENOTSUP" : answer);
}

Deno.test({
  name: "FS answers what Linux answers to each call on each place, by root and by another user",
  // Only root can be two users.
  ignore: Deno.uid() !== 0,
  async fn() {
    const cases = listCases();
    const [ours, linux] = [ask(cases), await askLinux(cases)];
    assertEquals(linux.length, cases.length);
    const kinds = new Set(linux);
    console.log(`${cases.length} cases, answers ${[...kinds].sort().join(" ")}`);
    const differences = cases.flatMap((text, index) =>
      ours[index] === linux[index] ? [] : [`${text}: ${ours[index]}, Linux ${linux[index]}`]
    );
    assertEquals(differences, []);
  },
});
