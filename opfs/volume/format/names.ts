/**
 * Names between strings and bytes.
 *
 * Layer: opfs/volume, bottom. By hand, because it is on the way of every lookup, because
 * TextEncoder replaces lone surrogates silently, and because the text classes refuse shared memory.
 *
 * @module
 */
import { ErrnoError } from "../../../abi/errno.ts";
import { invariant } from "../../../abi/invariant.ts";
import { NAME_BYTES_MAX } from "./layout.ts";

const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** Where {@link encodeName} puts a name; valid until its next call. */
export const nameBytes: Uint8Array<ArrayBuffer> = new Uint8Array(NAME_BYTES_MAX + 4);

/**
 * Encodes a directory entry's name into {@link nameBytes} and returns its length in bytes.
 *
 * @throws {ErrnoError} ENAMETOOLONG over 255 bytes, EILSEQ for a lone surrogate, EINVAL for "", ".",
 * "..", and a name with "/" or NUL in it
 */
export function encodeName(name: string): number {
  if (typeof name !== "string") throw new ErrnoError("EINVAL", "name a file by what is no text");
  let length = 0;
  for (let index = 0; index < name.length; index++) {
    const code = name.charCodeAt(index);
    if (code < 0x80) {
      if (code === 0x2f || code === 0) throw new ErrnoError("EINVAL", `name a file "${name}"`);
      nameBytes[length++] = code;
    } else {
      length = encodeWide(name, index, length);
      if (code >= 0xd800 && code <= 0xdbff) index++;
    }
    if (length > NAME_BYTES_MAX) throw new ErrnoError("ENAMETOOLONG", `use the name "${name}"`);
  }
  const isDots = nameBytes[0] === 0x2e && (length === 1 || length === 2 && nameBytes[1] === 0x2e);
  if (length === 0 || isDots) throw new ErrnoError("EINVAL", `name a file "${name}"`);
  return length;
}

function encodeWide(name: string, index: number, length: number): number {
  const point = name.codePointAt(index)!;
  if (point >= 0xd800 && point <= 0xdfff) {
    throw new ErrnoError("EILSEQ", "use a name with half a character in it");
  }
  if (point < 0x800) {
    nameBytes[length++] = 0xc0 | point >> 6;
  } else {
    if (point < 0x10000) {
      nameBytes[length++] = 0xe0 | point >> 12;
    } else {
      nameBytes[length++] = 0xf0 | point >> 18;
      nameBytes[length++] = 0x80 | point >> 12 & 0x3f;
    }
    nameBytes[length++] = 0x80 | point >> 6 & 0x3f;
  }
  nameBytes[length++] = 0x80 | point & 0x3f;
  return length;
}

/** The string of `length` bytes at `at`, which lie in private memory. */
export function decodeName(bytes: Uint8Array, at: number, length: number): string {
  invariant(at >= 0 && at + length <= bytes.length, "V5: a name past the end of its bytes");
  let text = "";
  for (let index = at; index < at + length; index++) {
    const byte = bytes[index]!;
    if (byte >= 0x80) return decoder.decode(bytes.subarray(at, at + length));
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Whether `length` bytes at `at` are a name: UTF-8 without NUL and "/", and neither "." nor "..". */
export function isName(bytes: Uint8Array, at: number, length: number): boolean {
  let isAscii = true;
  for (let index = at; index < at + length; index++) {
    const byte = bytes[index]!;
    if (byte === 0 || byte === 0x2f) return false;
    if (byte >= 0x80) isAscii = false;
  }
  if (bytes[at] === 0x2e && (length === 1 || length === 2 && bytes[at + 1] === 0x2e)) return false;
  return isAscii || isUtf8(bytes.subarray(at, at + length));
}

/** Whether bytes are well-formed UTF-8. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    strictDecoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A link's target as bytes of its own.
 *
 * @throws {ErrnoError} EILSEQ for a lone surrogate
 */
export function encodeTarget(target: string): Uint8Array<ArrayBuffer> {
  if (typeof target !== "string") throw new ErrnoError("EINVAL", "link to what is no path");
  if (!target.isWellFormed()) {
    throw new ErrnoError("EILSEQ", "link to a name with half a character in it");
  }
  return new TextEncoder().encode(target);
}
