/**
 * A kernel for tests: packs requests and takes replies apart, field after field in the order in
 * which the kernel's own header lists them. It shares no offset with the adapter.
 *
 * Use: `const kernel = new FakeKernel(new ModelVolume())`, then `kernel.call(26, { body: [...] })`.
 */
import { assertEquals } from "@std/assert";
import type { VolumeOps } from "../../../mod.ts";
import type { ServeOptions } from "../../../adapters/fuse/context.ts";
import { Reply } from "../../../adapters/fuse/reply.ts";
import { Request } from "../../../adapters/fuse/request.ts";
import { FuseServer } from "../../../adapters/fuse/server.ts";

/** One field: a 32-bit number, a 64-bit one, a string that gets its NUL, or bytes. */
export type Field = { u32: number } | { u64: number | bigint } | { text: string } | Uint8Array;

/** A 32-bit field. */
export function u32(value: number): Field {
  return { u32: value };
}

/** A 64-bit field. */
export function u64(value: number | bigint): Field {
  return { u64: value };
}

/** A name. */
export function text(value: string): Field {
  return { text: value };
}

/** Fields one after the other. */
export function pack(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const field of fields) {
    if (field instanceof Uint8Array) bytes.push(...field);
    else if ("text" in field) bytes.push(...new TextEncoder().encode(field.text), 0);
    else bytes.push(...numberBytes(field));
  }
  return new Uint8Array(bytes);
}

function numberBytes(field: { u32: number } | { u64: number | bigint }): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  if ("u32" in field) {
    view.setUint32(0, field.u32, true);
    return new Uint8Array(view.buffer, 0, 4);
  }
  view.setBigInt64(0, BigInt.asIntN(64, BigInt(field.u64)), true);
  return new Uint8Array(view.buffer);
}

/** A request with its header. */
export function packRequest(call: Call & { opcode: number; unique?: number }): Uint8Array {
  const { opcode, unique = 1, node = 1, uid = 0, gid = 0, pid = 0, body = [] } = call;
  const packed = pack(body);
  return pack([
    u32(40 + packed.length),
    u32(opcode),
    u64(unique),
    u64(node),
    u32(uid),
    u32(gid),
    u32(pid),
    u32(0),
    packed,
  ]);
}

/** Reads fields off a reply. */
export class Fields {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#view.byteLength - this.#at;
  }

  u16(): number {
    this.#at += 2;
    return this.#view.getUint16(this.#at - 2, true);
  }

  u32(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  u64(): number {
    this.#at += 8;
    return Number(this.#view.getBigInt64(this.#at - 8, true));
  }

  skip(count: number): void {
    this.#at += count;
  }

  text(length: number): string {
    const bytes = new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.#at, length);
    this.#at += length;
    return new TextDecoder().decode(bytes);
  }

  /** struct fuse_attr. */
  attr(): KernelAttr {
    const [ino, size, blocks, atime, mtime, ctime] = Array.from({ length: 6 }, () => this.u64());
    const [atimeNs, mtimeNs, ctimeNs] = Array.from({ length: 3 }, () => this.u32());
    const [mode, nlink, uid, gid, rdev, blockSize] = Array.from({ length: 6 }, () => this.u32());
    assertEquals(this.u32(), 0, "flags");
    const times = { atime, mtime, ctime, atimeNs, mtimeNs, ctimeNs };
    return { ino, size, blocks, ...times, mode, nlink, uid, gid, rdev, blockSize } as KernelAttr;
  }

  /** struct fuse_entry_out. */
  entry(): KernelEntry {
    const [node, generation, entryValid, attrValid] = Array.from({ length: 4 }, () => this.u64());
    this.skip(8);
    return { node, generation, entryValid, attrValid, attr: this.attr() } as KernelEntry;
  }
}

/** struct fuse_attr. */
export interface KernelAttr {
  ino: number;
  size: number;
  blocks: number;
  atime: number;
  mtime: number;
  ctime: number;
  atimeNs: number;
  mtimeNs: number;
  ctimeNs: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  blockSize: number;
}

/** struct fuse_entry_out. */
export interface KernelEntry {
  node: number;
  generation: number;
  entryValid: number;
  attrValid: number;
  attr: KernelAttr;
}

/** A name in a directory, as READDIR and READDIRPLUS give it. */
export interface KernelDirent {
  ino: number;
  offset: number;
  type: number;
  name: string;
  /** With READDIRPLUS. */
  entry?: KernelEntry;
}

/** Which piece of a directory. */
export interface PieceOptions {
  offset?: number;
  size?: number;
  plus?: boolean;
}

/** What a request says. */
export interface Call {
  node?: number;
  uid?: number;
  gid?: number;
  pid?: number;
  body?: readonly Field[];
}

/** Opcodes, from the kernel's header. */
export const OP = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  CREATE: 35,
  INTERRUPT: 36,
  DESTROY: 38,
  IOCTL: 39,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
  SYNCFS: 50,
  TMPFILE: 51,
} as const;

/** The offers of a kernel with both ways to take setuid away. */
export const EVERY_OFFER = 0x7fffffff;

/** A kernel whose filesystem is served from a volume. */
export class FakeKernel {
  readonly server: FuseServer;
  readonly request: Request = new Request(256 * 1024);
  readonly reply: Reply = new Reply(256 * 1024);
  #unique = 1;

  constructor(volume: VolumeOps, options: ServeOptions = {}) {
    this.server = new FuseServer(volume, options);
  }

  /** Shakes hands. */
  init({ flags = EVERY_OFFER }: { flags?: number } = {}): Fields {
    return this.ok(OP.INIT, { body: [u32(7), u32(38), u32(131072), u32(flags), u32(0)] });
  }

  /** Sends a request; `length` 0: there was no answer. */
  send(opcode: number, call: Call = {}): { length: number; errno: number; fields: Fields } {
    const unique = this.#unique++ * 2;
    const bytes = packRequest({ opcode, unique, ...call });
    this.request.bytes.set(bytes);
    this.server.answer(this.request.load(bytes.length), this.reply);
    const { length } = this.reply;
    if (length === 0) return { length, errno: 0, fields: new Fields(new Uint8Array(0)) };
    const head = new Fields(this.reply.bytes.slice(0, length));
    assertEquals(head.u32(), length, "length");
    const errno = 0xffffffff - head.u32() + 1 & 0xffff;
    assertEquals(head.u64(), unique, "unique");
    return { length, errno, fields: head };
  }

  /** Sends a request that succeeds. */
  ok(opcode: number, call: Call = {}): Fields {
    const { errno, fields } = this.send(opcode, call);
    assertEquals(errno, 0, `errno of opcode ${opcode}`);
    return fields;
  }

  /** Sends a request that fails, and returns Linux's error number. */
  fails(opcode: number, call: Call = {}): number {
    const { errno, length } = this.send(opcode, call);
    assertEquals(length, 16, "a failure is a header alone");
    return errno;
  }

  lookup(name: string, node = 1): KernelEntry {
    return this.ok(OP.LOOKUP, { node, body: [text(name)] }).entry();
  }

  create(
    name: string,
    call: Call & { mode?: number; umask?: number; flags?: number } = {},
  ): KernelEntry {
    const { mode = 0o100644, umask = 0o022, flags = 0o102, ...rest } = call;
    const body = [u32(flags), u32(mode), u32(umask), u32(0), text(name)];
    return this.ok(OP.CREATE, { ...rest, body }).entry();
  }

  mkdir(name: string, call: Call & { mode?: number; umask?: number } = {}): KernelEntry {
    const { mode = 0o755, umask = 0o022, ...rest } = call;
    return this.ok(OP.MKDIR, { ...rest, body: [u32(mode), u32(umask), text(name)] }).entry();
  }

  getattr(node: number): KernelAttr {
    const fields = this.ok(OP.GETATTR, { node, body: [u32(0), u32(0), u64(0)] });
    fields.skip(16);
    return fields.attr();
  }

  /** What SETATTR wants, by the bits of `valid`. */
  static setattrBody(valid: number, change: Partial<KernelAttr> = {}): Field[] {
    const { size = 0, atime = 0, mtime = 0, atimeNs = 0, mtimeNs = 0 } = change;
    const { mode = 0, uid = 0, gid = 0 } = change;
    return [
      u32(valid),
      u32(0),
      u64(0),
      u64(size),
      u64(0),
      u64(atime),
      u64(mtime),
      u64(0),
      u32(atimeNs),
      u32(mtimeNs),
      u32(0),
      u32(mode),
      u32(0),
      u32(uid),
      u32(gid),
      u32(0),
    ];
  }

  setattr(
    node: number,
    valid: number,
    change: Partial<KernelAttr> = {},
    call: Call = {},
  ): KernelAttr {
    const fields = this.ok(OP.SETATTR, {
      ...call,
      node,
      body: FakeKernel.setattrBody(valid, change),
    });
    fields.skip(16);
    return fields.attr();
  }

  write(
    node: number,
    data: Uint8Array | string,
    at = 0,
    { flags = 0, uid = 0 }: { flags?: number; uid?: number } = {},
  ): number {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const body = [u64(0), u64(at), u32(bytes.length), u32(flags), u64(0), u32(0), u32(0), bytes];
    return this.ok(OP.WRITE, { node, uid, body }).u32();
  }

  read(node: number, size: number, at: number | bigint = 0): string {
    const body = [u64(0), u64(at), u32(size), u32(0), u64(0), u32(0), u32(0)];
    const fields = this.ok(OP.READ, { node, body });
    return fields.text(fields.left);
  }

  forget(node: number, count: number): void {
    assertEquals(this.send(OP.FORGET, { node, body: [u64(count)] }).length, 0);
  }

  /** One piece of a directory. */
  readdir(
    node: number,
    { offset = 0, size = 4096, plus = false }: PieceOptions = {},
  ): KernelDirent[] {
    const body = [u64(0), u64(offset), u32(size), u32(0), u64(0), u32(0), u32(0)];
    const fields = this.ok(plus ? OP.READDIRPLUS : OP.READDIR, { node, body });
    const found: KernelDirent[] = [];
    while (fields.left > 0) {
      const entry = plus ? fields.entry() : undefined;
      const [ino, offset] = [fields.u64(), fields.u64()];
      const [length, type] = [fields.u32(), fields.u32()];
      const name = fields.text(length);
      fields.skip((8 - length % 8) % 8);
      found.push({ ino, offset, type, name, entry });
    }
    return found;
  }

  /** A whole directory, piece by piece. */
  list(node: number, options: Omit<PieceOptions, "offset"> = {}): KernelDirent[] {
    const all: KernelDirent[] = [];
    for (;;) {
      const piece = this.readdir(node, { ...options, offset: all.at(-1)?.offset ?? 0 });
      if (piece.length === 0) return all;
      all.push(...piece);
    }
  }
}
