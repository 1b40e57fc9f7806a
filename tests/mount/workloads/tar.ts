/**
 * A large tree through tar, in and out, compared by tar itself: bytes, modes, owners, times, links.
 */
import { must, type Workload } from "./workload.ts";

/** /usr/include, both ways. */
export const tarWorkload: Workload = {
  name: "tar",
  programs: ["tar", "diff", "find", "ln", "mkfifo"],
  asRoot: true,
  isVictim: true,
  async run({ directory, host }) {
    await must(["tar", "-C", "/usr", "-cf", `${host}/in.tar`, "include"]);
    await must(["tar", "-C", directory, "-xpf", `${host}/in.tar`]);
    await must(["tar", "-C", directory, "-df", `${host}/in.tar`]);
    await must(["diff", "-r", "--no-dereference", "/usr/include", `${directory}/include`]);
    await addStrangeThings(`${directory}/include/strange`);
    await must(["tar", "-C", directory, "-cf", `${host}/out.tar`, "include"]);
    Deno.mkdirSync(`${host}/out`);
    await must(["tar", "-C", `${host}/out`, "-xpf", `${host}/out.tar`]);
    await must(["tar", "-C", directory, "-df", `${host}/out.tar`]);
    const inside = await listing(directory);
    if (inside !== await listing(`${host}/out`)) throw new Error("the listings differ");
    return `${inside.split("\n").length} names in and out, all the same`;
  },
};

async function addStrangeThings(folder: string): Promise<void> {
  Deno.mkdirSync(folder, { mode: 0o1777 });
  Deno.writeTextFileSync(`${folder}/ü \u{1f333} name`, "x");
  Deno.chmodSync(`${folder}/ü \u{1f333} name`, 0o4751);
  Deno.chownSync(`${folder}/ü \u{1f333} name`, 1234, 4321);
  Deno.chmodSync(`${folder}/ü \u{1f333} name`, 0o4751);
  Deno.writeTextFileSync(`${folder}/${"n".repeat(255)}`, "long");
  Deno.linkSync(`${folder}/${"n".repeat(255)}`, `${folder}/hard`);
  await must(["mkfifo", `${folder}/fifo`]);
  await must(["ln", "-s", "t".repeat(1000), `${folder}/symbolic`]);
  Deno.utimeSync(`${folder}/hard`, 1, 2);
}

/** Names with type, mode, owners, links, size (not of directories), and time to the second. */
function listing(folder: string): Promise<string> {
  const common = "%P %y %m %U %G %n %Ts %l";
  const script = `find include -type d -printf '${common}\\n' -o -printf '${common} %s\\n' | ` +
    "sed 's/\\.[0-9]* / /' | sort";
  return must(["sh", "-c", script], { cwd: folder });
}
