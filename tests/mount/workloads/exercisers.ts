/**
 * Programs made to break filesystems: fio, stress-ng, and three that come from outside.
 */
import { must, type Workload } from "./workload.ts";

/** Random writes, verified by checksum. */
export const fioWorkload: Workload = {
  name: "fio",
  programs: ["fio"],
  isVictim: true,
  async run({ directory, host, scale }) {
    const common = ["--direct=0", "--verify=crc32c", "--verify_fatal=1", "--group_reporting"];
    const jobs: string[][] = [
      ["--name=random", "--rw=randwrite", "--bs=4k", `--size=${32 * scale}m`, "--numjobs=2"],
      ["--name=odd", "--rw=randwrite", "--bsrange=512-64k", "--bs_unaligned=1", "--size=16m"],
      ["--name=mapped", "--rw=randwrite", "--bs=4k", "--size=16m", "--ioengine=mmap"],
      ["--name=synced", "--rw=randwrite", "--bs=4k", "--size=2m", "--fsync=8"],
    ];
    for (const job of jobs) {
      await must(["fio", "--output-format=terse", `--directory=${directory}`, ...common, ...job], {
        cwd: host,
      });
    }
    return `${jobs.length} jobs of random writes read back with right checksums`;
  },
};

const STRESSORS = [
  ...["access", "chdir", "chmod", "chown", "copy-file", "dentry", "dir", "dirdeep", "dirmany"],
  ...[
    "dnotify",
    "dup",
    "fallocate",
    "fcntl",
    "fiemap",
    "file-ioctl",
    "filename",
    "flock",
    "fpunch",
  ],
  ...["fsize", "fstat", "getdent", "hdd", "inotify", "io", "iomix", "lease", "link", "locka"],
  ...["lockf", "lockofd", "mknod", "open", "rename", "seek", "symlink", "sync-file", "touch"],
  ...["utime", "xattr"],
];

/** Many processes that do one thing each, as fast as they can. */
export const stressWorkload: Workload = {
  name: "stress-ng",
  programs: ["stress-ng"],
  isVictim: true,
  async run({ directory, scale }) {
    const seconds = 2 * scale;
    const skipped: string[] = [];
    for (const stressor of STRESSORS) {
      const args = [
        `--${stressor}`,
        "2",
        "--timeout",
        `${seconds}s`,
        "--verify",
        "--metrics-brief",
      ];
      const size = stressor === "hdd" || stressor === "iomix" ? [`--${stressor}-bytes`, "32m"] : [];
      const output = await must(
        ["stress-ng", "--temp-path", directory, ...args, ...size],
        { limitMs: 120_000 },
      );
      if (/skipp(ed|ing stressor)/.test(output) && !/skipped: 0/.test(output)) {
        skipped.push(stressor);
      }
    }
    const ran = STRESSORS.length - skipped.length;
    const rest = skipped.length === 0 ? "" : `; it skipped ${skipped.join(", ")} by itself`;
    return `${ran} stressors of two processes, ${seconds} s each, verified${rest}`;
  },
};

/** The assertions of pjdfstest by its own command, as root. */
export const pjdfstestWorkload: Workload = {
  name: "pjdfstest",
  programs: ["prove", "sh"],
  outside: { variable: "CAIRN_PJDFSTEST", what: "a checkout of pjdfstest with its command built" },
  asRoot: true,
  flags: ["--allow-other"],
  isVictim: true,
  async run({ directory, outside }) {
    Deno.chmodSync(directory, 0o755);
    const output = await must(["prove", "--recurse", "--QUIET", `${outside}/tests`], {
      cwd: directory,
      limitMs: 3_600_000,
    });
    const [, files, tests] = /Files=(\d+), Tests=(\d+)/.exec(output) ?? [];
    return `${tests} of ${tests} tests in ${files} files passed`;
  },
};

/** One file, random calls, against a shadow in memory. */
export const fsxWorkload: Workload = {
  name: "fsx",
  programs: [],
  outside: { variable: "CAIRN_FSX", what: "the path of a built fsx" },
  isVictim: true,
  async run({ directory, host, outside, scale }) {
    const count = 50_000 * scale;
    for (const seed of [1, 2, 3]) {
      const args = ["-q", "-N", `${count}`, "-S", `${seed}`, "-P", host];
      await must([outside, ...args, `${directory}/fsx.${seed}`], { limitMs: 3_600_000 });
    }
    return `${count} operations with each of the seeds 1, 2, 3`;
  },
};

/** Many processes, random calls; the check comes after. */
export const fsstressWorkload: Workload = {
  name: "fsstress",
  programs: [],
  outside: { variable: "CAIRN_FSSTRESS", what: "the path of a built fsstress" },
  isVictim: true,
  async run({ directory, outside, scale }) {
    const count = 2000 * scale;
    for (const seed of [1, 2, 3]) {
      const folder = `${directory}/stress.${seed}`;
      Deno.mkdirSync(folder);
      await must([outside, "-d", folder, "-p", "4", "-n", `${count}`, "-s", `${seed}`], {
        limitMs: 3_600_000,
      });
    }
    return `4 processes of ${count} operations with each of the seeds 1, 2, 3`;
  },
};
