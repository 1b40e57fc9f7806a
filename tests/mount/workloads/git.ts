/**
 * git on the mount: a repository made on the spot is cloned, worked in, packed and checked.
 */
import { must, numbers, textOf, type Workload } from "./workload.ts";

const COMMITS = 25;
const FILES = 200;
const ENV = {
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@example.org",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
};

/** Clone, commit, gc, fsck. */
export const gitWorkload: Workload = {
  name: "git",
  programs: ["git", "diff"],
  isVictim: true,
  async run({ directory, host, scale }) {
    const origin = `${host}/origin`;
    await makeRepository(origin, COMMITS * scale);
    const clone = `${directory}/clone`;
    await git(directory, "clone", "--quiet", "--no-hardlinks", origin, clone);
    await must(["diff", "-r", "--exclude=.git", origin, clone]);
    for (let index = 0; index < 10; index++) {
      Deno.writeTextFileSync(`${clone}/new ${index}.txt`, `${index}\n`.repeat(1000 + index));
      Deno.removeSync(`${clone}/dir ${index % 7}/file ${index}.txt`);
      await git(clone, "add", "--all");
      await git(clone, "commit", "--quiet", "-m", `change ${index}`);
    }
    await git(clone, "checkout", "--quiet", "-b", "side", "HEAD~5");
    await git(clone, "merge", "--quiet", "-m", "merge", "master");
    await git(clone, "gc", "--quiet", "--aggressive", "--prune=now");
    await git(clone, "fsck", "--strict", "--full");
    const status = await git(clone, "status", "--porcelain");
    if (status !== "") throw new Error(`something differs from what was committed:\n${status}`);
    const back = `${host}/back`;
    await git(host, "clone", "--quiet", "--no-hardlinks", clone, back);
    await must(["diff", "-r", "--exclude=.git", back, clone]);
    const count = await git(clone, "rev-list", "--count", "HEAD");
    return `${count.trim()} commits cloned, changed, packed, checked and cloned back`;
  },
};

async function makeRepository(path: string, commits: number): Promise<void> {
  const random = numbers(1);
  await must(["git", "init", "--quiet", "--initial-branch=master", path], { env: ENV });
  for (let commit = 0; commit < commits; commit++) {
    for (let index = commit % 5; index < FILES; index += 5) {
      const folder = `${path}/dir ${index % 7}`;
      Deno.mkdirSync(folder, { recursive: true });
      const length = 100 + random.next().value % 20_000;
      Deno.writeTextFileSync(`${folder}/file ${index}.txt`, textOf(random, length));
    }
    await git(path, "add", "--all");
    await git(path, "commit", "--quiet", "-m", `commit ${commit}`);
  }
}

function git(cwd: string, ...args: string[]): Promise<string> {
  return must(["git", ...args], { cwd, env: ENV });
}
