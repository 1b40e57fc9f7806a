/**
 * A tar on its way out, through modern-tar.
 *
 * Layer: cli. modern-tar makes headers, frames and padding. Here is decided what goes into extended
 * headers; device numbers, which it leaves out, are put into the headers it has made. Use:
 *
 *     const writer = await TarWriter.begin(write, { isCompressed });
 *     try { await writer.add(item); await writer.end(); } finally { await writer.stop(); }
 *
 * @module
 */
import { type Attr, isBlkdev, isChrdev, isDir, isFIFO, isLink } from "../../mod.ts";
import { deviceParts } from "../shared/devices.ts";
import { Frames } from "./frames.ts";
import { FIELD, putNumber } from "./header.ts";
import { encodePax, type PaxRecords, secondsOf, textOf, xattrKey } from "./pax.ts";

/** What becomes an entry. */
export interface TarItem {
  /** Its name in the archive. */
  name: string;
  /** Its attributes. */
  attr: Attr;
  /** What a symbolic link points to. */
  target: string | null;
  /** The entry of which this is a further name. */
  linkTo: string | null;
  /** Extended attributes. */
  xattrs: ReadonlyMap<string, Uint8Array>;
  /** Set if the body begins with a map of its data: the length with the holes. */
  sparse: { sizeBytes: number } | null;
  /** Length of the body. */
  sizeBytes: number;
}

/** The contents of an entry. */
export interface TarBody {
  /** Takes the next bytes; they must stay as they are. */
  write(bytes: Uint8Array): Promise<void>;
  /** All of them have been written. */
  close(): Promise<void>;
}

type Packer = ReturnType<typeof import("modern-tar").createTarPacker>;
type Header = import("modern-tar").TarHeader;

const NAME_BYTES = 100;
const ID_MAX = 0o7777777;
const SECONDS_MAX = 0o77777777777;
const SIZE_MAX = 0o77777777777;
const PERMISSION_BITS = 0o7777;
const encoder = new TextEncoder();

/** Writes entries. */
export class TarWriter {
  readonly #controller: Packer["controller"];
  readonly #sink: Promise<void>;
  /** Numbers of the devices that have been added and have not come by yet. */
  readonly #devices: number[];
  #isOver = false;
  /** Why the bytes could not be handed on. */
  #failure: unknown = null;

  private constructor(packer: Packer, devices: number[], sink: Promise<void>) {
    this.#controller = packer.controller;
    this.#devices = devices;
    this.#sink = sink;
    this.#sink.catch((error) => {
      this.#failure = error;
    });
  }

  /** An archive whose bytes are handed to `write`. */
  static async begin(
    write: (bytes: Uint8Array) => void,
    { isCompressed }: { isCompressed: boolean },
  ): Promise<TarWriter> {
    const { createTarPacker } = await import("modern-tar");
    const packer = createTarPacker();
    const devices: number[] = [];
    const whole = packer.readable.pipeThrough(withDevices(devices));
    const packed = isCompressed ? whole.pipeThrough(new CompressionStream("gzip")) : whole;
    return new TarWriter(packer, devices, packed.pipeTo(new WritableStream({ write })));
  }

  /** Adds something without a body. Returns the attributes that had to be left out. */
  async add(item: TarItem): Promise<string[]> {
    const { body, leftOut } = await this.addFile(item);
    await body.close();
    return leftOut;
  }

  /** Adds a file, whose body is to be written next; and says which attributes had to be left out. */
  addFile(item: TarItem): Promise<{ body: TarBody; leftOut: string[] }> {
    return this.#heard(() => this.#begin(item));
  }

  async #begin(item: TarItem): Promise<{ body: TarBody; leftOut: string[] }> {
    const header = headerOf(item);
    const records = recordsOf(item);
    const binary = [...records].filter(([, value]) => !textOf(value).isExact).map(([key]) => key);
    const mustText = item.sizeBytes > SIZE_MAX;
    if (binary.length > 0 && !mustText) await this.#addRecords(header, records);
    else if (records.size > 0) header.pax = textsOf(records);
    if (isDevice(item)) this.#devices.push(item.attr.rdev);
    const writer = this.#controller.add(header).getWriter();
    const body = {
      write: (bytes: Uint8Array) => this.#heard(() => writer.write(bytes)),
      close: () => this.#heard(() => writer.close()),
    };
    return { body, leftOut: mustText ? binary : [] };
  }

  /** modern-tar only knows that its stream has ended; the reader of the bytes knows why. */
  async #heard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      throw this.#failure ?? error;
    }
  }

  /** The extended header as an entry of its own: modern-tar takes text only. */
  async #addRecords({ name, mtime }: Header, records: PaxRecords): Promise<void> {
    const bytes = encodePax(records);
    const header: Header = {
      name: clip(`PaxHeaders/${name}`),
      type: "pax-header",
      size: bytes.length,
      mode: 0o644,
    };
    if (mtime !== undefined) header.mtime = mtime;
    const writer = this.#controller.add(header).getWriter();
    await writer.write(bytes);
    await writer.close();
  }

  /** Writes the end, and waits until everything has been handed on. */
  async end(): Promise<void> {
    await this.#heard(async () => {
      this.#controller.finalize();
      this.#isOver = true;
      await this.#sink;
    });
  }

  /** Lets go of everything; the archive is worth nothing unless it has been ended. */
  async stop(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#controller.error(new Error("the archive was given up"));
    await this.#sink.catch(() => {});
  }
}

function isDevice({ attr: { mode }, linkTo }: TarItem): boolean {
  return linkTo === null && (isChrdev(mode) || isBlkdev(mode));
}

/** Puts the numbers into the headers of devices, in order. */
function withDevices(devices: number[]): TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  const frames = new Frames(({ type }, header) => {
    if (type !== "3" && type !== "4") return;
    const { major, minor } = deviceParts(devices.shift() ?? 0);
    putNumber(header, FIELD.MAJOR, major);
    putNumber(header, FIELD.MINOR, minor);
  });
  return new TransformStream({
    transform(chunk, controller) {
      frames.push(chunk);
      controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
    },
  });
}

/** The 512 bytes; what does not fit is cut here and whole among the records. */
function headerOf({ name, attr, target, linkTo, sparse, sizeBytes }: TarItem): Header {
  const { mode, uid, gid, mtime } = attr;
  const link = linkTo ?? target;
  const base = name.slice(name.lastIndexOf("/") + 1);
  const header: Header = {
    name: clip(sparse === null ? name : `./GNUSparseFile.0/${base}`),
    type: linkTo !== null ? "link" : typeOf(mode),
    size: sizeBytes,
    mode: mode & PERMISSION_BITS,
    uid: uid > ID_MAX ? 0 : uid,
    gid: gid > ID_MAX ? 0 : gid,
    mtime: new Date(1000 * Math.min(SECONDS_MAX, Math.max(0, Math.floor(mtime / 1000)))),
  };
  if (link !== null) header.linkname = clip(link);
  // Names go before numbers when an archive is unpacked; this one is the same everywhere.
  if (uid === 0) header.uname = "root";
  if (gid === 0) header.gname = "root";
  return header;
}

function typeOf(mode: number): NonNullable<Header["type"]> {
  if (isDir(mode)) return "directory";
  if (isLink(mode)) return "symlink";
  if (isFIFO(mode)) return "fifo";
  if (isChrdev(mode)) return "character-device";
  return isBlkdev(mode) ? "block-device" : "file";
}

/** What the header has no room for. */
function recordsOf(item: TarItem): PaxRecords {
  const { name, attr, target, linkTo, xattrs, sparse } = item;
  const records: PaxRecords = new Map();
  const put = (key: string, text: string | number): void => {
    records.set(key, encoder.encode(String(text)));
  };
  const link = linkTo ?? target;
  if (sparse !== null) {
    put("GNU.sparse.major", 1);
    put("GNU.sparse.minor", 0);
    put("GNU.sparse.name", name);
    put("GNU.sparse.realsize", sparse.sizeBytes);
  } else if (clip(name) !== name) put("path", name);
  if (link !== null && clip(link) !== link) put("linkpath", link);
  if (attr.uid > ID_MAX) put("uid", attr.uid);
  if (attr.gid > ID_MAX) put("gid", attr.gid);
  const { mtime, atime, ctime } = attr;
  const isWhole = mtime % 1000 === 0 && mtime >= 0 && mtime <= SECONDS_MAX * 1000;
  if (!isWhole) put("mtime", secondsOf(mtime));
  if (atime !== mtime) put("atime", secondsOf(atime));
  if (ctime !== mtime) put("ctime", secondsOf(ctime));
  for (const [key, value] of xattrs) records.set(xattrKey(key), value);
  return records;
}

function textsOf(records: PaxRecords): Record<string, string> {
  const texts = [...records].map(([key, value]) => ({ key, ...textOf(value) }));
  return Object.fromEntries(
    texts.filter(({ isExact }) => isExact).map(({ key, text }) => [key, text]),
  );
}

/** As much of a text as a field has room for. */
function clip(text: string): string {
  const room = new Uint8Array(NAME_BYTES);
  return text.slice(0, encoder.encodeInto(text, room).read);
}
