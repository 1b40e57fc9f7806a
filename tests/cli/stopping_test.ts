/**
 * Long work that is interrupted or killed in the middle: the image stays one that is whole.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileHandle } from "../../opfs/device/file.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import { CAIRN, cairn, inFolder } from "../support/command_line.ts";
import { inShell, isLocked, stopped } from "../support/hostile_host.ts";

const SIGNALS = ["SIGINT", "SIGKILL"] as const;
const FILE = { mode: 0o100644, uid: 0, gid: 0 };
const DIRECTORY = { mode: 0o040755, uid: 0, gid: 0 };
const FILE_BYTES = 5_000_000;
const NAMES = 20_000;

/** Runs in a folder of its own. */
async function inFolderAtLength(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "cairn-stop-" });
  try {
    await work(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** The words that start the program, in a shell's line. */
function program(): string {
  return CAIRN.map((word) => `'${word}'`).join(" ");
}

/** Makes an image, and returns what puts it in its place again. */
function imageMaker(path: string, fill: (volume: Volume) => void): () => void {
  const template = `${path}.template`;
  const volume = openVolumeSync(fileHandle(template));
  fill(volume);
  volume.close();
  return () => Deno.copyFileSync(template, path);
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

function sizesIn(image: string): number[] {
  const checked = cairn(["check", image]);
  assertEquals(checked.status, 0, checked.out);
  const lines = cairn(["tree", image]).out;
  return [...lines.matchAll(/\((\d+)\)$/gm)].map((match) => Number(match[1]));
}

Deno.test("cairn cp leaves a consistent image of whole files when it is stopped", async () => {
  await inFolderAtLength(async (folder) => {
    Deno.mkdirSync(`${folder}/src`);
    for (let file = 0; file < 60; file++) {
      Deno.writeFileSync(`${folder}/src/${file}`, new Uint8Array(FILE_BYTES).fill(file));
    }
    const image = `${folder}/v`;
    const prepare = imageMaker(image, () => {});
    for (const signal of SIGNALS) {
      const { status, err } = await stopped(["cp", "-r", "src", "v:/"], {
        cwd: folder,
        signal,
        prepare,
        isUnderWay: () => Deno.statSync(image).size > 4 * FILE_BYTES,
      });
      const sizes = sizesIn(image);
      assert(sizes.every((size) => size === FILE_BYTES) && sizes.length < 60, `${sizes}`);
      if (signal === "SIGKILL") continue;
      assertEquals(status, 130);
      assertMatch(
        err,
        /^cairn cp: it was interrupted; what was copied before is there and whole$/m,
      );
      assert(sizes.length > 0 && !cairn(["ls", "-a", "v", "/src"]).out.includes(".cairn-"));
    }
  });
});

Deno.test("cairn put leaves the old file or the new one when it is stopped", async () => {
  await inFolderAtLength(async (folder) => {
    const image = `${folder}/v`;
    Deno.writeFileSync(`${folder}/big`, new Uint8Array(200_000_000).fill(1));
    const prepare = imageMaker(image, (volume) => {
      const old = volume.create(volume.root, "big", FILE);
      volume.write(old, new Uint8Array([1, 2, 3]), 0);
    });
    for (const signal of SIGNALS) {
      await stopped(["put", "v", "big"], {
        cwd: folder,
        signal,
        prepare,
        isUnderWay: () => Deno.statSync(image).size > 20_000_000,
      });
      const sizes = sizesIn(image);
      assert(sizes.includes(3) || sizes.includes(200_000_000), `${sizes}`);
      if (signal === "SIGINT") assertEquals(sizes, [3]);
    }
  });
});

Deno.test("cairn rm leaves a consistent image when it is stopped", async () => {
  await inFolderAtLength(async (folder) => {
    const image = `${folder}/v`;
    const prepare = imageMaker(image, (volume) => {
      const directory = volume.create(volume.root, "d", DIRECTORY);
      for (let file = 0; file < NAMES; file++) volume.create(directory, `f${file}`, FILE);
    });
    for (const signal of SIGNALS) {
      const { err } = await stopped(["rm", "-r", "v", "/d"], {
        cwd: folder,
        signal,
        prepare,
        isUnderWay: () => isLocked(image),
      });
      if (signal === "SIGINT") {
        assertMatch(err, /^cairn rm: it was interrupted; what was removed before is gone, the/m);
      }
      assert(sizesIn(image).length <= NAMES);
      assertEquals(cairn(["rm", "-r", image, "/d"]).status, 0);
      assertEquals(sizesIn(image), []);
    }
  });
});

Deno.test("cairn compact leaves a consistent image when it is stopped", async () => {
  await inFolderAtLength(async (folder) => {
    const image = `${folder}/v`;
    const bytes = new Uint8Array(500_000);
    const prepare = imageMaker(image, (volume) => {
      for (let file = 0; file < 300; file++) {
        volume.write(volume.create(volume.root, `f${file}`, FILE), bytes.fill(file), 0);
      }
      for (let file = 0; file < 150; file++) volume.unlink(volume.root, `f${file}`);
    });
    for (const signal of SIGNALS) {
      const { err } = await stopped(["compact", "v"], {
        cwd: folder,
        signal,
        prepare,
        isUnderWay: () => isLocked(image),
      });
      if (signal === "SIGINT") {
        assertMatch(err, /^cairn compact: it was interrupted; the volume is whole, only not as/m);
      }
      const sizes = sizesIn(image);
      assertEquals([sizes.length, new Set(sizes)], [150, new Set([500_000])]);
      assertEquals(cairn(["compact", image]).status, 0);
      assertEquals(sizesIn(image).length, 150);
      const last = cairn(["cat", image, "/f299"]).bytes;
      assert(last.length === 500_000 && last.every((byte) => byte === (299 & 255)));
    }
  });
});

Deno.test("cairn check --repair leaves the damaged image as it was when it is stopped", async () => {
  await inFolderAtLength(async (folder) => {
    const image = `${folder}/v`;
    const copy = imageMaker(image, (volume) => {
      volume.create(volume.root, "broken", FILE);
      const big = volume.create(volume.root, "big", FILE);
      for (let at = 0; at < 100; at++) volume.write(big, new Uint8Array(2 ** 20), at * 2 ** 20);
    });
    const before = Deno.readFileSync(`${image}.template`);
    const slots = new DataView(before.buffer).getFloat64(24, true);
    before[slots + 32 * 64] = 99;
    for (const signal of SIGNALS) {
      const { err } = await stopped(["check", "--repair", "v"], {
        cwd: folder,
        signal,
        prepare: () => {
          for (const name of namesIn(folder)) {
            if (name !== "v.template") Deno.removeSync(`${folder}/${name}`);
          }
          copy();
          Deno.writeFileSync(image, before);
        },
        isUnderWay: () => namesIn(folder).some((name) => name.startsWith("v.repaired-")),
      });
      if (signal === "SIGINT") {
        assertMatch(err, /^cairn check: it was interrupted; nothing has been changed$/m);
        assertEquals(namesIn(folder), ["v", "v.template"]);
      }
      const after = Deno.readFileSync(image);
      assert(after.length === before.length && after.every((byte, at) => byte === before[at]));
      assertEquals(cairn(["check", "--repair", image]).status, 1);
      assert(sizesIn(image).includes(100 * 2 ** 20));
    }
  });
});

/** A pipe whose other end neither gives nor takes anything, and a command line on it. */
const WAITING: readonly (readonly [words: string, said: RegExp | null])[] = [
  ["put v - /a < silent", /^cairn put: it was interrupted; nothing has been changed$/m],
  ["put v silent /a", /^cairn put: it was interrupted; nothing has been changed$/m],
  ["put v nobody /a", /^cairn put: it was interrupted; nothing has been changed$/m],
  ["cp - v:/a < silent", /^cairn cp: it was interrupted; nothing has been changed$/m],
  ["import silent w", /^cairn import: .*interrupted; nothing has been changed$/m],
  ["get v /big - > silent", null],
  ["cp v:/big - > silent", null],
  ["export v - > silent", null],
  ["cat v /big > silent", null],
];

Deno.test("cairn hears a signal while it waits for another program", () => {
  inFolder((folder) => {
    const lines = WAITING.map(([words]) =>
      `timeout -k 1 $1 sh -c 'exec "$0" "$@" ${words}' ${program()} 2>&1; echo "ended $?"`
    );
    const { out, err } = inShell(
      `cairn mkfs v; mkfifo silent nobody; head -c 3000000 /dev/zero | cairn put v - /big
# Keeps the FIFO open, and neither writes nor reads.
exec 9<> silent
set -- 8
${lines.join("\n")}
ls; cairn check v`,
      folder,
    );
    const parts = out.split(/^(?=ended)/m);
    assertEquals(parts.length, WAITING.length + 1, out + err);
    for (const [index, [words, said]] of WAITING.entries()) {
      assertMatch(parts[index + 1]!, /^ended 124\n/, `${words}: ${out}`);
      if (said !== null) assertMatch(parts[index]!, said, words);
    }
    assertMatch(out, /^nobody\nsilent\nv\nclean: 1 file, /m);
  });
});
