import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { fileHandle } from "../../../opfs/device/file.ts";
import { hostCommand } from "../../../tools/programs.ts";
import { onFullDisk } from "../../support/hostile_host.ts";

const source = new URL("../../../opfs/device/file.ts", import.meta.url).href;

function inFolder(body: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("fileHandle() keeps what was written", () => {
  inFolder((folder) => {
    const handle = fileHandle(`${folder}/a`);
    handle.write(new Uint8Array([1, 2, 3]), { at: 2 });
    handle.close();
    assertEquals(Deno.readFileSync(`${folder}/a`), new Uint8Array([0, 0, 1, 2, 3]));
    const again = fileHandle(`${folder}/a`, { create: false });
    assertEquals(again.getSize(), 5);
    again.close();
  });
});

Deno.test("fileHandle() answers ENOENT without create", () => {
  inFolder((folder) => {
    const open = () => fileHandle(`${folder}/a`, { create: false });
    assertThrows(open, ErrnoError, "ENOENT");
    assertEquals([...Deno.readDirSync(folder)].length, 0);
  });
});

Deno.test("fileHandle() answers EISDIR for a folder and releases the lock", () => {
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/a`);
    assertThrows(() => fileHandle(`${folder}/a`), ErrnoError, "EISDIR");
    assertEquals([...Deno.readDirSync(folder)].map((entry) => entry.name), ["a"]);
  });
});

Deno.test("fileHandle() for reading only takes no lock and writes nothing", () => {
  inFolder((folder) => {
    Deno.writeFileSync(`${folder}/a`, new Uint8Array([1]));
    const writer = fileHandle(`${folder}/a`);
    const reader = fileHandle(`${folder}/a`, { readOnly: true });
    assertThrows(() => reader.write(new Uint8Array(1), { at: 0 }), ErrnoError, "EIO");
    reader.close();
    writer.close();
  });
});

Deno.test("fileHandle() can be closed twice", () => {
  inFolder((folder) => {
    const handle = fileHandle(`${folder}/a`);
    handle.close();
    handle.close();
  });
});

Deno.test("fileHandle() knows by how much the disk lets it grow, if it may ask", () => {
  inFolder((folder) => {
    const code = (may: string) =>
      `deno_run ${may} 'data:text/javascript,${
        encodeURIComponent(
          `const { fileHandle } = await import(${JSON.stringify(source)});
           console.log(fileHandle("v").getSpareBytes());`,
        ).replaceAll("'", "%27")
      }'`;
    const script = `deno_run() { '${Deno.execPath()}' run --no-config -q --no-prompt -RW "$@"; }
${code("")}; rm -f v v.lock; ${code("--allow-sys=statfs")}`;
    const { out, err } = onFullDisk(script, { folder, diskBytes: 4_000_000 });
    const [unknown, known] = out.trim().split("\n").map(Number);
    assertEquals([unknown, err], [Infinity, ""]);
    assert(known! > 3_900_000 && known! < 4_010_000, out);
  });
});

Deno.test("fileHandle() for reading only says whether the file was changed in the meantime", () => {
  const folder = Deno.makeTempDirSync();
  const writer = fileHandle(`${folder}/a`);
  writer.write(new Uint8Array(10), { at: 0 });
  const reader = fileHandle(`${folder}/a`, { readOnly: true });
  reader.read(new Uint8Array(10), { at: 0 });
  assertEquals(reader.isChanged(), false);
  writer.write(new Uint8Array(1), { at: 3 });
  assertEquals(reader.isChanged(), true);
  reader.close();
  assertEquals(reader.isChanged(), false);
  writer.close();
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("fileHandle() answers EFBIG where the host lets no file be so long", () => {
  const folder = Deno.makeTempDirSync();
  const handle = fileHandle(`${folder}/a`);
  assertThrows(() => handle.write(new Uint8Array(10), { at: 2 ** 52 }), ErrnoError, "EFBIG");
  handle.close();
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("fileHandle() opens nothing but a file, and waits for none", () => {
  const folder = Deno.makeTempDirSync();
  try {
    hostCommand("mkfifo", { args: [`${folder}/fifo`] }).outputSync();
    Deno.symlinkSync("/dev/zero", `${folder}/zero`);
    for (const name of ["fifo", "zero"]) {
      for (const readOnly of [true, false]) {
        for (const create of [true, false]) {
          const open = () => fileHandle(`${folder}/${name}`, { create, readOnly });
          assertThrows(open, ErrnoError, "EINVAL: ");
        }
      }
    }
    assertEquals([...Deno.readDirSync(folder)].length, 2);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("fileHandle() opens a file beside which no lock has a place, and keeps others out", () => {
  inFolder((folder) => {
    // There is room for this name, and none for one that ends with ".lock".
    const path = `${folder}/${"n".repeat(253)}`;
    const handle = fileHandle(path);
    assertThrows(() => fileHandle(path), ErrnoError, "EBUSY");
    handle.close();
    fileHandle(path, { create: false }).close();
  });
  const { status, out, err } = onFullDiskOfNames();
  assertEquals([status, out], [0, "EBUSY\n"], err);
});

/** A disk on which no further file can be made. */
function onFullDiskOfNames(): { status: number; out: string; err: string } {
  const folder = Deno.makeTempDirSync();
  try {
    const script = `import { fileHandle } from "${source}";
      const handle = fileHandle("a", { create: false });
      try { fileHandle("a", { create: false }); } catch (error) { console.log(error.code); }
      handle.close();`;
    return onFullDisk(
      `touch a; mount -o remount,nr_inodes=2 "$1" || exit 98
      ${Deno.execPath()} eval --quiet '${script}'`,
      { folder, diskBytes: 2 ** 20 },
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("fileHandle() to read waits until a file that keeps whole seconds could show a change", () => {
  const path = `${Deno.makeTempDirSync()}/v`;
  Deno.writeTextFileSync(path, "1");
  const seconds = Math.floor(Date.now() / 1000);
  Deno.utimeSync(path, seconds, seconds);
  const reader = fileHandle(path, { create: false, readOnly: true });
  assert(Date.now() >= (seconds + 2) * 1000);
  // As such a filesystem has it: the same length, and the time of now in whole seconds.
  Deno.writeTextFileSync(path, "2");
  const now = Math.floor(Date.now() / 1000);
  Deno.utimeSync(path, now, now);
  assert(now > seconds && reader.isChanged());
  reader.close();
});

Deno.test({
  name: "getSpareBytes() asks the disk of the file itself, whatever its name leads to by now",
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
  fn() {
    const folder = Deno.makeTempDirSync();
    const small = `${folder}/small`;
    Deno.mkdirSync(small);
    const run = (program: string, ...args: string[]): boolean =>
      hostCommand(program, { args, stderr: "null" }).outputSync().success;
    if (!run("mount", "-t", "tmpfs", "-o", "size=3m", "none", small)) return;
    try {
      const handle = fileHandle(`${small}/v`);
      const spare = handle.getSpareBytes!();
      assert(spare <= 3 << 20);
      Deno.renameSync(`${small}/v`, `${small}/w`);
      assertEquals(handle.getSpareBytes!(), spare);
      // Another file, on another disk.
      Deno.writeTextFileSync(`${folder}/other`, "");
      Deno.symlinkSync(`${folder}/other`, `${small}/v`);
      assertEquals(handle.getSpareBytes!(), spare);
      Deno.removeSync(`${small}/w`);
      assertEquals(handle.getSpareBytes!(), spare);
      handle.close();
    } finally {
      run("umount", small);
      Deno.removeSync(folder, { recursive: true });
    }
  },
});
