/**
 * Error numbers: the only table of them in the house.
 *
 * Layer: abi (imports nothing). The numbers are those that a C program compiled by Emscripten sees:
 * WASI's order for the common ones, 100 and up for names that only Linux has, and one trap:
 * ENOTSUP is 138 here and 58 in WASI (adapters/wasi.ts translates).
 *
 * Use: `throw new ErrnoError("ENOENT", `open "${path}"`)`; recognise one by `error.name ===
 * "ErrnoError"`, never by instanceof, because realms and workers have classes of their own.
 *
 * @module
 */

/** Error numbers by name, as Emscripten's C library has them. */
export const Errno = {
  E2BIG: 1,
  EACCES: 2,
  EADDRINUSE: 3,
  EADDRNOTAVAIL: 4,
  EAFNOSUPPORT: 5,
  EAGAIN: 6,
  EALREADY: 7,
  EBADF: 8,
  EBADMSG: 9,
  EBUSY: 10,
  ECANCELED: 11,
  ECHILD: 12,
  ECONNABORTED: 13,
  ECONNREFUSED: 14,
  ECONNRESET: 15,
  EDEADLK: 16,
  EDESTADDRREQ: 17,
  EDOM: 18,
  EDQUOT: 19,
  EEXIST: 20,
  EFAULT: 21,
  EFBIG: 22,
  EHOSTUNREACH: 23,
  EIDRM: 24,
  EILSEQ: 25,
  EINPROGRESS: 26,
  EINTR: 27,
  EINVAL: 28,
  EIO: 29,
  EISCONN: 30,
  EISDIR: 31,
  ELOOP: 32,
  EMFILE: 33,
  EMLINK: 34,
  EMSGSIZE: 35,
  EMULTIHOP: 36,
  ENAMETOOLONG: 37,
  ENETDOWN: 38,
  ENETRESET: 39,
  ENETUNREACH: 40,
  ENFILE: 41,
  ENOBUFS: 42,
  ENODEV: 43,
  ENOENT: 44,
  ENOEXEC: 45,
  ENOLCK: 46,
  ENOLINK: 47,
  ENOMEM: 48,
  ENOMSG: 49,
  ENOPROTOOPT: 50,
  ENOSPC: 51,
  ENOSYS: 52,
  ENOTCONN: 53,
  ENOTDIR: 54,
  ENOTEMPTY: 55,
  ENOTRECOVERABLE: 56,
  ENOTSOCK: 57,
  ENOTTY: 59,
  ENXIO: 60,
  EOVERFLOW: 61,
  EOWNERDEAD: 62,
  EPERM: 63,
  EPIPE: 64,
  EPROTO: 65,
  EPROTONOSUPPORT: 66,
  EPROTOTYPE: 67,
  ERANGE: 68,
  EROFS: 69,
  ESPIPE: 70,
  ESRCH: 71,
  ESTALE: 72,
  ETIMEDOUT: 73,
  ETXTBSY: 74,
  EXDEV: 75,
  // Linux has these, WASI does not.
  ENOSTR: 100,
  EBFONT: 101,
  EBADSLT: 102,
  EBADRQC: 103,
  ENOANO: 104,
  ENOTBLK: 105,
  ECHRNG: 106,
  EL3HLT: 107,
  EL3RST: 108,
  ELNRNG: 109,
  EUNATCH: 110,
  ENOCSI: 111,
  EL2HLT: 112,
  EBADE: 113,
  EBADR: 114,
  EXFULL: 115,
  ENODATA: 116,
  ETIME: 117,
  ENOSR: 118,
  ENONET: 119,
  ENOPKG: 120,
  EREMOTE: 121,
  EADV: 122,
  ESRMNT: 123,
  ECOMM: 124,
  EDOTDOT: 125,
  ENOTUNIQ: 126,
  EBADFD: 127,
  EREMCHG: 128,
  ELIBACC: 129,
  ELIBBAD: 130,
  ELIBSCN: 131,
  ELIBMAX: 132,
  ELIBEXEC: 133,
  ESTRPIPE: 135,
  EUSERS: 136,
  ESOCKTNOSUPPORT: 137,
  ENOTSUP: 138,
  EPFNOSUPPORT: 139,
  ESHUTDOWN: 140,
  ETOOMANYREFS: 141,
  EHOSTDOWN: 142,
  ENOMEDIUM: 148,
  EL2NSYNC: 156,
} as const;

/** The name of an error, such as `"ENOENT"`. */
export type ErrnoCode = keyof typeof Errno;

/** Second names of numbers in {@link Errno}, as C headers have them. */
export const ErrnoAlias: {
  readonly EWOULDBLOCK: 6;
  readonly EDEADLOCK: 16;
  readonly EOPNOTSUPP: 138;
} = { EWOULDBLOCK: 6, EDEADLOCK: 16, EOPNOTSUPP: 138 };

const codeByNumber: ReadonlyMap<number, ErrnoCode> = new Map(
  Object.entries(Errno).map(([code, errno]) => [errno, code as ErrnoCode]),
);

/**
 * The name of an error number; `"EIO"` for a number that is in no table.
 *
 * @example
 * ```ts
 * import { codeOf } from "@cairn/fs/abi";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(codeOf(44), "ENOENT");
 * ```
 */
export function codeOf(errno: number): ErrnoCode {
  return codeByNumber.get(errno) ?? "EIO";
}

/** What an {@link ErrnoError} can say besides its code and its action. */
export interface ErrnoErrorOptions extends ErrorOptions {
  /** What was wrong, where the code alone does not say it: `it is in use`. */
  why?: string;
}

/**
 * The only error that a filesystem call throws on purpose. Emscripten's drivers make it from a
 * number, our own code from a name. Its message is for people: a program looks at the fields.
 *
 * @example
 * ```ts
 * import { ErrnoError } from "@cairn/fs/abi";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new ErrnoError("EBUSY", 'open "/a/b"', { why: "it is in use" });
 * assertEquals(error.errno, 10);
 * assertEquals([error.action, error.why], ['open "/a/b"', "it is in use"]);
 * assertEquals(error.message, 'EBUSY: cannot open "/a/b": it is in use');
 * ```
 */
export class ErrnoError extends Error {
  /** Always `"ErrnoError"`. */
  override readonly name = "ErrnoError";
  /** The error's name, such as `"ENOENT"`. */
  readonly code: ErrnoCode;
  /** The error's number, such as 44. */
  readonly errno: number;
  /** What could not be done; undefined for an error that was made from its code alone. */
  readonly action: string | undefined;
  /** What was wrong; undefined where the code says it. */
  readonly why: string | undefined;

  /** `action` reads like `open "/a/b"`: the call, then its subject. */
  constructor(code: ErrnoCode | number, action?: string, options?: ErrnoErrorOptions) {
    const name = typeof code === "number" ? codeOf(code) : code;
    const why = options?.why;
    super(messageFor(name, action, why), options);
    this.code = name;
    this.errno = Errno[name];
    this.action = action;
    this.why = why;
  }
}

function messageFor(code: ErrnoCode, action?: string, why?: string): string {
  const called = action === undefined ? code : `${code}: cannot ${action}`;
  return why === undefined ? called : `${called}: ${why}`;
}

/** Whether a caught value is an {@link ErrnoError}, of this realm or another. */
export function isErrnoError(error: unknown): error is ErrnoError {
  return typeof error === "object" && error !== null &&
    (error as { name?: unknown }).name === "ErrnoError" &&
    typeof (error as { errno?: unknown }).errno === "number";
}
