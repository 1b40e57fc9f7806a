/**
 * A volume through the kernel: mount, write, read, unmount, check. Needs /dev/fuse, and root or
 * fusermount3. `deno task test:mount` has the long ones.
 */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { existsSync } from "node:fs";
import { cairn } from "../support/command_line.ts";
import { assertClean, check, isMounted, run, Server, withMount, withPlace } from "./mounted.ts";

const isRoot = Deno.uid() === 0;

Deno.test("mount shows what is written, and the image keeps it", async () => {
  await withPlace(async ({ image, directory }) => {
    const first = await Server.start(image, directory);
    try {
      Deno.writeTextFileSync(`${directory}/a.txt`, "hello");
      Deno.mkdirSync(`${directory}/d`);
      Deno.linkSync(`${directory}/a.txt`, `${directory}/d/b.txt`);
      Deno.symlinkSync("../a.txt", `${directory}/d/link`);
      Deno.writeTextFileSync(`${directory}/d/link`, " world", { append: true });
      assertEquals(Deno.readTextFileSync(`${directory}/a.txt`), "hello world");
      await first.unmount();
    } finally {
      await first.kill();
    }
    const { files, directories, hardLinks, symlinks } = assertClean(image);
    assertEquals([files, directories, hardLinks, symlinks], [1, 2, 1, 1]);
    const second = await Server.start(image, directory);
    try {
      assertEquals(Deno.readTextFileSync(`${directory}/d/link`), "hello world");
      assertEquals(Deno.statSync(`${directory}/a.txt`).nlink, 2);
      const names = [...Deno.readDirSync(`${directory}/d`)].map((entry) => entry.name);
      assertEquals(names.sort(), ["b.txt", "link"]);
      await second.unmount();
    } finally {
      await second.kill();
    }
    assertClean(image);
  });
});

Deno.test("mount moves a large file there and back", async () => {
  await withMount((_, { directory }) => {
    const bytes = new Uint8Array(5 * 1024 * 1024 + 123);
    for (let index = 0; index < bytes.length; index++) bytes[index] = index * 2654435761 >>> 24;
    Deno.writeFileSync(`${directory}/large`, bytes);
    const file = Deno.openSync(`${directory}/large`, { read: true, write: true });
    file.syncSync();
    file.truncateSync(bytes.length - 5);
    file.close();
    const read = Deno.readFileSync(`${directory}/large`);
    assertEquals(read.length, bytes.length - 5);
    assert(read.every((byte, index) => byte === bytes[index]));
    return Promise.resolve();
  });
});

Deno.test("mount keeps an open file whose last name is gone", async () => {
  await withMount((_, { directory }) => {
    const file = Deno.openSync(`${directory}/a`, { read: true, write: true, create: true });
    Deno.removeSync(`${directory}/a`);
    Deno.writeTextFileSync(`${directory}/a`, "another");
    file.writeSync(new TextEncoder().encode("kept"));
    file.seekSync(0, Deno.SeekMode.Start);
    const bytes = new Uint8Array(10);
    assertEquals(new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes)!)), "kept");
    file.close();
    return Promise.resolve();
  });
});

Deno.test("mount --read-only answers EROFS and leaves the image as it was", async () => {
  await withPlace(async ({ image, directory }) => {
    const before = Deno.readFileSync(image);
    const server = await Server.start(image, directory, { flags: ["--read-only"] });
    try {
      assertThrows(() => Deno.mkdirSync(`${directory}/d`), Error, "os error 30");
      assertEquals([...Deno.readDirSync(directory)], []);
      await server.unmount();
    } finally {
      await server.kill();
    }
    assertEquals(Deno.readFileSync(image), before);
  });
});

Deno.test("mount ends by a signal: what is open loses its file, what was written is kept", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    await withPlace(async ({ image, directory }) => {
      const server = await Server.start(image, directory);
      const file = Deno.openSync(`${directory}/a`, { write: true, create: true });
      try {
        file.writeSync(new TextEncoder().encode("kept"));
        server.signal(signal);
        assertEquals([await server.status(), server.messages], [0, ""]);
        assertThrows(() => file.writeSync(new Uint8Array(1)), Error, "os error");
        assertEquals(isMounted(directory), false);
      } finally {
        file.close();
        await server.kill();
      }
      assertEquals(assertClean(image).files, 1);
    });
  }
});

Deno.test("mount ends by a signal at once when it is not used", async () => {
  await withPlace(async ({ image, directory }) => {
    const server = await Server.start(image, directory);
    try {
      Deno.writeTextFileSync(`${directory}/a`, "kept");
      const started = performance.now();
      server.signal("SIGTERM");
      assertEquals([await server.status(), server.messages], [0, ""]);
      assert(performance.now() - started < 10_000);
      assertEquals(isMounted(directory), false);
    } finally {
      await server.kill();
    }
    assertEquals(assertClean(image).files, 1);
  });
});

const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

Deno.test("mount --allow-other lets others in, as the modes say, and without it no one", {
  ignore: !isRoot,
}, async () => {
  for (const flags of [[], ["--allow-other"]]) {
    await withMount(async (_, { folder, directory }) => {
      for (const path of [folder, directory]) Deno.chmodSync(path, 0o755);
      Deno.writeTextFileSync(`${directory}/open`, "for all", { mode: 0o644 });
      Deno.writeTextFileSync(`${directory}/closed`, "for one", { mode: 0o600 });
      const read = (name: string) => run([...NOBODY, "cat", `${directory}/${name}`]);
      const seen = [(await read("open")).code, (await read("closed")).code];
      assertEquals(seen, flags.length === 0 ? [1, 1] : [0, 1]);
    }, { flags });
  }
});

Deno.test("mount --attr-timeout says how long the kernel does not ask", async () => {
  for (const [flags, code] of [[[], 0], [["--attr-timeout", "0"], 124]] as const) {
    await withMount(async (server, { directory }) => {
      Deno.writeTextFileSync(`${directory}/a`, "a");
      Deno.statSync(`${directory}/a`);
      server.signal("SIGSTOP");
      try {
        const stat = await run(["timeout", "1", "stat", `${directory}/a`]);
        assertEquals(stat.code, code, `${flags.join(" ")}: ${stat.output}`);
      } finally {
        server.signal("SIGCONT");
      }
    }, { flags });
  }
});

Deno.test("mount without --foreground comes back when the directory shows the volume", async () => {
  await withPlace(async ({ image, directory }) => {
    const script = new URL("../../cli/main.ts", import.meta.url).pathname;
    const mount = [Deno.execPath(), "run", "-A", "--quiet", "--no-check", script, "mount"];
    const { code, output } = await run([...mount, image, directory], { env: { NO_COLOR: "1" } });
    // Where there is no system log it says what keeps one.
    const note = existsSync("/dev/log")
      ? ""
      : `note: there is no system log here: --log FILE keeps what goes wrong\n`;
    assertEquals([code, output], [0, `"${image}" is mounted on "${directory}"\n${note}`]);
    Deno.writeTextFileSync(`${directory}/a`, "kept");
    const unmount = isRoot ? ["umount", directory] : ["fusermount3", "-u", directory];
    assertEquals((await run(unmount)).code, 0);
    for (let tries = 0; tries < 100 && existsSync(`${image}.lock`); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assertEquals(assertClean(image).files, 1);
    const refused = await run([...mount, `${image}.missing`, directory]);
    assertEquals(refused.code, 2);
    assert(refused.output.includes("ENOENT"), refused.output);
  });
});

Deno.test("umount is refused while the mount is in use", async () => {
  await withMount(async (_, { directory }) => {
    const file = Deno.openSync(`${directory}/a`, { write: true, create: true });
    const command = isRoot ? ["umount", directory] : ["fusermount3", "-u", directory];
    assert((await run(command)).code !== 0);
    file.writeSync(new Uint8Array(1));
    file.close();
  });
});

Deno.test("mount is refused where there is one, and while the image is open", async () => {
  await withMount(async (_, { image, directory, folder }) => {
    Deno.mkdirSync(`${folder}/other`);
    for (const target of [directory, `${folder}/other`]) {
      const error = await Server.start(image, target).then(() => null, (error) => error);
      assert(String(error).includes("EBUSY"), String(error));
    }
  });
});

Deno.test("mount after a killed server clears the dead mount, and what was synced is there", async () => {
  await withPlace(async ({ image, directory }) => {
    const first = await Server.start(image, directory);
    const file = Deno.openSync(`${directory}/synced`, { write: true, create: true });
    file.writeSync(new TextEncoder().encode("durable"));
    file.syncSync();
    file.close();
    await first.kill();
    assertEquals(isMounted(directory), true);
    assertThrows(() => Deno.readTextFileSync(`${directory}/synced`), Error, "os error 107");
    assertEquals(check(image).violations, []);
    const second = await Server.start(image, directory);
    try {
      assertEquals(Deno.readTextFileSync(`${directory}/synced`), "durable");
      await second.unmount();
    } finally {
      await second.kill();
    }
    assertClean(image);
  });
});

async function unmount(directory: string): Promise<void> {
  await run([...(isRoot ? ["umount"] : ["fusermount3", "-u"]), directory]);
}

Deno.test("mount in the background says in its log why programs see EIO, and in no other file", async () => {
  await withPlace(async ({ image, directory, folder }) => {
    const log = `${folder}/log`;
    const first = cairn(["mount", "--log", log, image, directory]);
    assertEquals([first.status, first.err], [0, ""]);
    const bytes = crypto.getRandomValues(new Uint8Array(65536));
    const file = Deno.openSync(`${directory}/f`, { write: true, create: true });
    for (let count = 0; count < 64; count++) file.writeSync(bytes);
    file.syncSync();
    file.close();
    await unmount(directory);
    const names = (): string[] => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    const before = names().filter((name) => !name.endsWith(".lock"));
    assertEquals(cairn(["mount", "--log", log, image, directory]).status, 0);
    // A disk that loses what it had: what is past that is EIO from now on.
    Deno.truncateSync(image, 2_500_000);
    assertThrows(() => Deno.readFileSync(`${directory}/f`), Error, "os error 5");
    await unmount(directory);
    for (let count = 0; count < 100 && existsSync(`${image}.lock`); count++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assertEquals(names(), before);
    assertMatch(
      Deno.readTextFileSync(log),
      /^\d{4}-.*Z ".*": EIO: cannot read the device at \d+: /,
    );
  });
});
