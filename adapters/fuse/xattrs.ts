/**
 * Extended attributes: GETXATTR, SETXATTR, LISTXATTR, REMOVEXATTR.
 *
 * Layer: adapters/fuse. The kernel has decided who may. Which of its namespaces are kept in the
 * volume is said by `abi/xattr_name.ts`; the others are ENOTSUP.
 *
 * @module
 */
import { ErrnoError, MOUNT_NAMESPACES, TRUSTED_NAMESPACE, xattrNameCode } from "../../mod.ts";
import type { Context } from "./context.ts";
import { GETXATTR_IN, GETXATTR_OUT, SETXATTR_IN } from "./protocol.ts";
import type { Reply } from "./reply.ts";
import type { Request } from "./request.ts";

const encoder = new TextEncoder();

/** GETXATTR. */
export function getxattr({ volume }: Context, request: Request, reply: Reply): void {
  const name = nameToFind(request, GETXATTR_IN.NAME);
  const value = name === null ? null : volume.getxattr(request.nodeId, name);
  if (value === null) throw new ErrnoError("ENODATA", `read the attribute "${name}"`);
  endBytes(request, reply, value);
}

/** SETXATTR. */
export function setxattr(context: Context, request: Request): void {
  const nameAt = SETXATTR_IN.NAME;
  const name = supported(request.text(nameAt));
  const value = request.data(request.textAfter(nameAt), request.u32(SETXATTR_IN.SIZE));
  context.volume.setxattr(request.nodeId, name, value, request.u32(SETXATTR_IN.FLAGS));
  context.isDirty = true;
}

/** LISTXATTR. Names that root alone may read are not listed for others, as in the kernel's own. */
export function listxattr({ volume }: Context, request: Request, reply: Reply): void {
  const names = volume.listxattr(request.nodeId).filter((name) => {
    return isSupported(name) && (request.uid === 0 || !name.startsWith(TRUSTED_NAMESPACE));
  });
  endBytes(request, reply, encoder.encode(names.map((name) => `${name}\0`).join("")));
}

/** REMOVEXATTR. */
export function removexattr(context: Context, request: Request): void {
  const name = nameToFind(request, 0);
  const isGone = name !== null && context.volume.removexattr(request.nodeId, name);
  if (!isGone) throw new ErrnoError("ENODATA", `remove the attribute "${name}"`);
  context.isDirty = true;
}

/** Null for a name that no volume can hold. */
function nameToFind(request: Request, at: number): string | null {
  const name = request.textOrNull(at);
  return name === null ? null : supported(name);
}

function supported(name: string): string {
  const code = xattrNameCode(name, MOUNT_NAMESPACES);
  if (code === null) return name;
  throw new ErrnoError(code, `use the attribute "${name}"`);
}

function isSupported(name: string): boolean {
  return xattrNameCode(name, MOUNT_NAMESPACES) === null;
}

/** The bytes, or how many there are for a caller that has made no room yet. */
function endBytes(request: Request, reply: Reply, bytes: Uint8Array): void {
  const room = request.u32(GETXATTR_IN.SIZE);
  if (room === 0) {
    reply.u32(GETXATTR_OUT.SIZE, bytes.length);
    reply.u32(GETXATTR_OUT.SIZE + 4, 0);
    reply.end(GETXATTR_OUT.BYTES);
    return;
  }
  if (bytes.length > room) {
    throw new ErrnoError("ERANGE", `answer ${bytes.length} bytes where there is room for ${room}`);
  }
  reply.body(bytes.length).set(bytes);
  reply.end(bytes.length);
}
