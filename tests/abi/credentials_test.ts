/** The arithmetic of ownership, case by case. */
import { assert, assertEquals } from "@std/assert";
import * as credentials from "../../abi/credentials.ts";
import { S_IFDIR, S_IFREG } from "../../abi/mode.ts";

const root: credentials.Credentials = { uid: 0, gid: 0, groups: [], umask: 0o022 };
const ann: credentials.Credentials = { uid: 7, gid: 70, groups: [71], umask: 0o027 };

Deno.test("inGroup() looks at the effective and the supplementary groups", () => {
  assert(credentials.inGroup(ann, 70) && credentials.inGroup(ann, 71));
  assert(!credentials.inGroup(ann, 72));
});

Deno.test("newOwner() takes the group from a setgid directory", () => {
  assertEquals(credentials.newOwner({ mode: S_IFDIR | 0o755, gid: 5 }, ann), { uid: 7, gid: 70 });
  assertEquals(credentials.newOwner({ mode: S_IFDIR | 0o2755, gid: 5 }, ann), { uid: 7, gid: 5 });
});

Deno.test("newMode() takes the umask off and hands setgid to directories only", () => {
  const plain = { mode: S_IFDIR | 0o755, gid: 5 };
  const setgid = { mode: S_IFDIR | 0o2755, gid: 5 };
  assertEquals(credentials.newMode(S_IFREG | 0o666, plain, ann), S_IFREG | 0o640);
  assertEquals(credentials.newMode(S_IFREG | 0o4777, plain, root), S_IFREG | 0o4755);
  assertEquals(credentials.newMode(S_IFDIR | 0o777, setgid, ann), S_IFDIR | 0o2750);
  assertEquals(credentials.newMode(S_IFREG | 0o666, setgid, ann), S_IFREG | 0o640);
});

Deno.test("newMode() takes setgid from an executable whose maker is not in its group", () => {
  const setgid = { mode: S_IFDIR | 0o2755, gid: 5 };
  const open = { ...ann, umask: 0 };
  assertEquals(credentials.newMode(S_IFREG | 0o2755, setgid, open), S_IFREG | 0o755);
  assertEquals(credentials.newMode(S_IFREG | 0o2745, setgid, open), S_IFREG | 0o2745);
  assertEquals(
    credentials.newMode(S_IFREG | 0o2755, { ...setgid, gid: 71 }, open),
    S_IFREG | 0o2755,
  );
  assertEquals(
    credentials.newMode(S_IFREG | 0o2755, setgid, { ...root, umask: 0 }),
    S_IFREG | 0o2755,
  );
});

Deno.test("newMode() keeps a file's setgid only for members of the group that it gets", () => {
  const rows: [number, number, credentials.Credentials, number][] = [
    [0o2777, 5, ann, 0o750],
    [0o2767, 5, ann, 0o2740],
    [0o2777, 71, ann, 0o2750],
    [0o2777, 5, root, 0o2755],
  ];
  for (const [bits, gid, caller, expected] of rows) {
    const parent = { mode: S_IFDIR | 0o2755, gid };
    assertEquals(credentials.newMode(S_IFREG | bits, parent, caller), S_IFREG | expected);
  }
});

Deno.test("chmodMode() keeps the type and drops setgid outside the group", () => {
  const file = { mode: S_IFREG | 0o644, gid: 72 };
  assertEquals(credentials.chmodMode(file, 0o2755, ann), S_IFREG | 0o755);
  assertEquals(credentials.chmodMode(file, 0o2755, root), S_IFREG | 0o2755);
  assertEquals(credentials.chmodMode({ ...file, gid: 71 }, 0o2755, ann), S_IFREG | 0o2755);
  assertEquals(credentials.chmodMode(file, 0o170777, root), S_IFREG | 0o777);
});

Deno.test("modeWithoutPrivileges() leaves sgid where the group may not execute", () => {
  assertEquals(credentials.modeWithoutPrivileges(S_IFREG | 0o6755), S_IFREG | 0o755);
  assertEquals(credentials.modeWithoutPrivileges(S_IFREG | 0o6745), S_IFREG | 0o2745);
  assertEquals(credentials.modeWithoutPrivileges(S_IFDIR | 0o6755), S_IFDIR | 0o6755);
});

Deno.test("ownsOrIsRoot() is true for the owner and for root", () => {
  assert(credentials.ownsOrIsRoot({ uid: 7 }, ann) && credentials.ownsOrIsRoot({ uid: 9 }, root));
  assert(!credentials.ownsOrIsRoot({ uid: 9 }, ann));
});
