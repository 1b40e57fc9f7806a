/** Access control lists that are left out. */
import { assertEquals } from "@std/assert";
import { deniedByAcl, deniedByText, isAcl, withoutAcl } from "../../../cli/trees/acl.ts";

/** A list as the kernel has it: entries of tag, rights and id. */
function listOf(entries: readonly [tag: number, rights: number, id: number][]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 + 8 * entries.length));
  view.setUint32(0, 2, true);
  entries.forEach(([tag, rights, id], index) => {
    view.setUint16(4 + 8 * index, tag, true);
    view.setUint16(6 + 8 * index, rights, true);
    view.setUint32(8 + 8 * index, id, true);
  });
  return new Uint8Array(view.buffer);
}

/** user::rw-, user:1000:rwx, group::r--, mask::rwx, other::--- */
const LIST = listOf([[1, 6, 0], [2, 7, 1000], [4, 4, 0], [16, 7, 0], [32, 0, 0]]);

Deno.test("withoutAcl() takes lists away, and gives the group no more than its own rights", () => {
  const value = new Uint8Array([1]);
  const xattrs = new Map([
    ["system.posix_acl_access", LIST],
    ["system.posix_acl_default", LIST],
    ["user.a", value],
  ]);
  assertEquals(withoutAcl(0o100670, xattrs), 0o100640);
  assertEquals([...xattrs], [["user.a", value]]);
  assertEquals(withoutAcl(0o2770, xattrs), 0o2770);
});

Deno.test("withoutAcl() takes nothing from the mode where a list says nothing of the group", () => {
  for (const list of [new Uint8Array(0), new Uint8Array(3), LIST.subarray(0, 9)]) {
    assertEquals(withoutAcl(0o664, new Map([["system.posix_acl_access", list]])), 0o664);
  }
  assertEquals(withoutAcl(0o664, new Map([["system.posix_acl_default", LIST]])), 0o664);
});

Deno.test("deniedByText() reads the list of a tar as deniedByAcl() reads the kernel's", () => {
  const text = "user::rw-,user:alice:rwx:1000,group::r--,mask::rwx,other::---";
  const bytes = (list: string): Uint8Array => new TextEncoder().encode(list);
  assertEquals(deniedByText(bytes(text)), deniedByAcl(LIST));
  assertEquals(deniedByText(bytes(text.replaceAll(",", "\n"))), 0o030);
  assertEquals(deniedByText(bytes("group::rwx")), 0);
  assertEquals(deniedByText(bytes("group:staff:---:50")), 0);
});

Deno.test("isAcl() knows the kernel's namespace, and no other", () => {
  const names = ["system.posix_acl_access", "system.nfs4_acl", "user.system.", "security.selinux"];
  assertEquals(names.map(isAcl), [true, true, false, false]);
});
