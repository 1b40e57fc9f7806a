/**
 * Access control lists: no volume heeds them, so none is kept.
 *
 * Layer: cli, bottom, used by `volume_tree.ts` and by the import of tars. The mount refuses them with
 * ENOTSUP for the same reason. The group's bits of a mode are, with such a list, what the most favoured of all
 * that it names may do; without it they would be the owning group's, which may have had less.
 *
 * @module
 */

/** What is said of a list that is left out. */
export const ACL_LOST = "its access control list is left out: a volume has none";

/** The namespace in which the kernel shows them. */
const SYSTEM = "system.";
const ACCESS = "system.posix_acl_access";
/** Bytes before the first entry, and of each. */
const HEAD_BYTES = 4;
const ENTRY_BYTES = 8;
const GROUP_TAG = 0x04;
const RIGHTS = 0o7;

/**
 * Whether an attribute is in the `system` namespace, as access control lists are, which is left
 * out.
 */
export function isAcl(name: string): boolean {
  return name.startsWith(SYSTEM);
}

/** The mode without its list, which is taken out of the attributes: no group may do more than with it. */
export function withoutAcl(mode: number, xattrs: Map<string, Uint8Array>): number {
  const acl = xattrs.get(ACCESS);
  for (const name of [...xattrs.keys()].filter(isAcl)) xattrs.delete(name);
  return acl === undefined ? mode : mode & ~deniedByAcl(acl);
}

/** What the owning group may not do, as bits of a mode, by a list as the kernel has it. */
export function deniedByAcl(acl: Uint8Array): number {
  const view = new DataView(acl.buffer, acl.byteOffset, acl.byteLength);
  for (let at = HEAD_BYTES; at + ENTRY_BYTES <= acl.length; at += ENTRY_BYTES) {
    if (view.getUint16(at, true) === GROUP_TAG) return denied(view.getUint16(at + 2, true));
  }
  return 0;
}

/** The same of a list in words, as tars have it. */
export function deniedByText(acl: Uint8Array): number {
  const found = /(?:^|[,\n])group::([r-])([w-])([x-])/.exec(new TextDecoder().decode(acl));
  if (found === null) return 0;
  const rights = found.slice(1).reduce((sum, one) => sum * 2 + (one === "-" ? 0 : 1), 0);
  return denied(rights);
}

function denied(rights: number): number {
  return (~rights & RIGHTS) << 3;
}
