/**
 * Names as the model takes them.
 *
 * Layer: tests, under `model_volume.ts`.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";

const MAX_NAME_BYTES = 255;

/** The name, if it is one. */
export function checked(name: string): string {
  if (!name.isWellFormed()) throw new ErrnoError("EILSEQ", "use a name with a lone surrogate");
  if (name === "" || name === "." || name === ".." || /[\0/]/.test(name)) {
    throw new ErrnoError("EINVAL", `use name "${name}"`);
  }
  if (new TextEncoder().encode(name).length > MAX_NAME_BYTES) {
    throw new ErrnoError("ENAMETOOLONG", `use name "${name.slice(0, 20)}…"`);
  }
  return name;
}

/** The name of an attribute, if it is one. */
export function checkedAttribute(name: string): string {
  if (!name.isWellFormed()) throw new ErrnoError("EILSEQ", "use an attribute");
  const length = new TextEncoder().encode(name).length;
  if (length === 0 || length > MAX_NAME_BYTES) throw new ErrnoError("ERANGE", "use an attribute");
  if (name.includes("\0")) throw new ErrnoError("EINVAL", "use an attribute");
  return name;
}
