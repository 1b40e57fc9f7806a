/** `cairn check --repair` as a process. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { cairn, inFolder } from "../../support/command_line.ts";
import { reseal } from "../../support/reseal.ts";

/** A volume with two files, and where its slots and bitmap begin. */
function prepared(folder: string): { image: string; slots: number; bitmap: number } {
  const image = `${folder}/v`;
  cairn(["mkfs", image]);
  for (const name of ["a", "b"]) {
    Deno.writeTextFileSync(`${folder}/${name}`, name.repeat(5000));
    cairn(["put", image, `${folder}/${name}`]);
  }
  const view = new DataView(Deno.readFileSync(image).buffer);
  return { image, slots: view.getFloat64(24, true), bitmap: view.getFloat64(48, true) };
}

/** Damages an image as a wrong program would: the sums say the same. */
function change(path: string, act: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = Deno.readFileSync(path);
  act(bytes);
  reseal(bytes);
  Deno.writeFileSync(path, bytes);
  return bytes;
}

Deno.test("cairn check --repair leaves a clean volume alone", () => {
  inFolder((folder) => {
    const { image } = prepared(folder);
    const before = Deno.readFileSync(image);
    assertEquals(cairn(["check", "--repair", image]).status, 0);
    assertEquals(Deno.readFileSync(image), before);
  });
});

Deno.test("cairn check --repair corrects in place what is derivable", () => {
  inFolder((folder) => {
    const { image, bitmap } = prepared(folder);
    change(image, (bytes) => bytes[bitmap]! ^= 1);
    const { status, out } = cairn(["check", "--repair", image]);
    assertEquals(status, 1, out);
    assertMatch(out, /^V2: .*\n1 violation: .*\ncorrected in place\n$/);
    assertEquals(cairn(["check", image]).status, 0);
    assertEquals([...Deno.readDirSync(folder)].length, 3);
  });
});

Deno.test("cairn check --repair makes the volume anew, and keeps the damaged one", () => {
  inFolder((folder) => {
    const { image, slots } = prepared(folder);
    // The second file: its name begins in another directory than there is.
    const offset = (bytes: Uint8Array) =>
      new DataView(bytes.buffer).getUint32(slots + 33 * 64 + 4, true);
    const paths = slots + 1024 * 64;
    const damaged = change(image, (bytes) => {
      bytes[paths + offset(bytes) + 1] = 9;
    });
    const refused = cairn(["ls", image]);
    assertMatch(refused.err, /V5: .*`cairn check --repair IMAGE` saves what can be saved/);
    const { status, out, err } = cairn(["check", "--repair", image]);
    assertEquals(status, 1, err);
    assertMatch(out, /^V5: /m);
    assertMatch(out, /^repaired; the damaged volume is ".*v\.damaged"$/m);
    assertMatch(err, /changed: lost-and-found: /);
    assertEquals(Deno.readFileSync(`${image}.damaged`), damaged);
    assertEquals(cairn(["check", image]).status, 0);
    const { out: tree } = cairn(["tree", "--json", image]);
    assert(tree.includes('"/a"') && tree.includes('"/lost+found/'), tree);
    const found = /"(\/lost\+found\/[^"]*\/b)"/.exec(tree)![1]!;
    assertEquals(cairn(["cat", image, found]).out, "b".repeat(5000));
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      "a",
      "b",
      "v",
      "v.damaged",
    ]);
    change(image, (bytes) => bytes[slots] = 1);
    assertMatch(cairn(["check", "--repair", image]).out, /damaged-2"/);
  });
});

Deno.test("cairn check --repair --json prints what was found and what came of it", () => {
  inFolder((folder) => {
    const { image, slots } = prepared(folder);
    change(image, (bytes) => bytes[slots + 33 * 64] = 99);
    const { status, out } = cairn(["check", "--repair", "--json", image]);
    const json = JSON.parse(out);
    assertEquals([status, json.violations[0].rule, json.repair.transfer.files], [1, "V8", 2]);
    assertEquals(json.repair.kept, `${image}.damaged`);
  });
});

Deno.test("cairn check --repair names what came out of a page that its sum does not know", () => {
  inFolder((folder) => {
    const { image, slots } = prepared(folder);
    const bytes = Deno.readFileSync(image);
    // The mode of the first file, two bits of it.
    bytes[slots + 32 * 64 + 12]! ^= 0o22;
    Deno.writeFileSync(image, bytes);
    const refused = cairn(["ls", image]);
    assertMatch(refused.err, /V16: page 0 of the slots is not what its sum says \(slots 0 to 63\)/);
    const { status, out, err } = cairn(["check", "--repair", image]);
    assertEquals(status, 1, err);
    assertMatch(out + err, /V16/);
    assertMatch(err, /page-damaged: "\/a": it is in a page that is not what its sum says/);
    assertEquals(/slot \d/.test(err), false, err);
    assertEquals(cairn(["cat", image, "/b"]).out.length, 5000);
  });
});

/** The second file's name begins in another directory than there is. */
function mislaid(folder: string): string {
  const { image, slots } = prepared(folder);
  change(image, (bytes) => {
    const offset = new DataView(bytes.buffer).getUint32(slots + 33 * 64 + 4, true);
    bytes[slots + 1024 * 64 + offset + 1] = 9;
  });
  return image;
}

Deno.test("cairn check --repair repairs what a link leads to, as private as it was", () => {
  inFolder((folder) => {
    const image = mislaid(folder);
    Deno.chmodSync(image, 0o600);
    if (Deno.uid() === 0) Deno.chownSync(image, 1000, 1001);
    const { mode, uid, gid } = Deno.statSync(image);
    Deno.symlinkSync("v", `${folder}/link`);
    Deno.symlinkSync("nowhere", `${image}.damaged`);
    const { status, out } = cairn(["check", "--repair", `${folder}/link`]);
    assertEquals(status, 1, out);
    assertMatch(out, /the damaged volume is ".*\/v\.damaged-2"\n$/);
    assertEquals(Deno.readLinkSync(`${folder}/link`), "v");
    const now = Deno.statSync(image);
    assertEquals([now.mode, now.uid, now.gid], [mode, uid, gid]);
    assertEquals(cairn(["check", image]).status, 0);
  });
});

Deno.test("cairn check --repair refuses an image with a second name, but for one it has kept", () => {
  inFolder((folder) => {
    const image = mislaid(folder);
    Deno.linkSync(image, `${folder}/other`);
    const before = Deno.readFileSync(image);
    const refused = cairn(["check", "--repair", image]);
    assertEquals(refused.status, 2);
    assertMatch(refused.err, /EMLINK: .*several names/);
    assertEquals(Deno.readFileSync(image), before);
    // As a repair leaves it that was killed between two steps.
    Deno.renameSync(`${folder}/other`, `${image}.damaged`);
    assertEquals(cairn(["check", "--repair", image]).status, 1);
    assertEquals(cairn(["check", image]).status, 0);
  });
});
