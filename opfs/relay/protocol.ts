/**
 * The wire: every word, number and offset of a channel; nothing here waits.
 *
 * Layer: relay, its bottom. docs/PROTOCOL.md says the same in prose. `cursor.ts` writes values one
 * after the other, `records.ts` packs attributes and entries, `channel.ts` and `served_channel.ts`
 * move the words.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import { highWord, joinWords } from "../../abi/words.ts";
import { XATTR_VALUE_MAX } from "../../abi/xattr_name.ts";

/** Version of the wire; both sides must have the same. */
const PROTOCOL_VERSION = 1;
/** Version of the messages in `messages.ts`; both sides must have the same. */
export const MESSAGE_VERSION = 1;
/** "CRNC", first byte first: a Cairn channel. */
const CHANNEL_MAGIC = 0x434e5243;

/** Words of a channel, as indices of 32-bit words. Each has one writer. */
export const Word = {
  // The header, as other users of this framing have it. The side whose turn it is writes it; only the
  // relay writes the heartbeat.
  SIGNAL: 0,
  OPCODE: 1,
  STATUS: 2,
  CHUNK_LEN: 3,
  TOTAL_LOW: 4,
  TOTAL_HIGH: 5,
  CHUNK_INDEX: 6,
  /** The relay's; other users of this framing reserve the word. */
  HEARTBEAT: 7,
  // Written once, by the maker of the channel.
  MAGIC: 8,
  VERSION: 9,
  AREA_BYTES: 10,
  RING_BYTES: 11,
  /** Four random words, after which the client's Web Lock is named. */
  ID: 12,
  // The client's.
  REQUEST: 16,
  POSTING: 17,
  RING_TAIL: 18,
  CREDITS_USED: 19,
  CLAIMED: 20,
  /** An inode to release, low part and generation, and how often one was put here. */
  RELEASE_LOW: 21,
  RELEASE_HIGH: 22,
  RELEASES: 23,
  // The relay's.
  ANSWER: 32,
  LEASE: 33,
  RING_HEAD: 34,
  CREDITS_GRANTED: 35,
  ERROR: 36,
  GENERATION: 37,
  ANSWER_GENERATION: 38,
  TERM: 39,
  DURABLE_THROUGH: 40,
  /** How many of the client's RELEASES have been carried out. */
  RELEASED: 41,
  /** Either side's; once it is not 0 it does not change. */
  CLOSED: 48,
} as const;

/** What `claimed` says: no client, a client, a client whose thread holds its Web Lock. */
export const Claimed = { NONE: 0, CLIENT: 1, LOCKED: 2 } as const;

/** Bytes of a channel's words. */
const WORDS_BYTES = 256;
/** Smallest area: a name, a link's target and an error text fit in one piece. */
export const MIN_AREA_BYTES = 16_384;
/** Longest single transfer, in bytes, as in Linux: a count fits the status. */
export const MAX_TRANSFER_BYTES = 0x7ffff000;

/** Longest value of an extended attribute, and longest list of names, in bytes. */
export const VALUE_BYTES_MAX: number = XATTR_VALUE_MAX;

/** What the signal word says of the message in the area. */
export const Signal = { IDLE: 0, REQUEST: 1, RESPONSE: 2, CHUNK: 3, CHUNK_ACK: 4 } as const;
/** What a client may assume; the relay writes it when it admits the channel. */
export const Lease = { NONE: 0, SHARED: 1, EXCLUSIVE: 2, REVOKING: 3 } as const;
/** Why a channel is closed. */
export const Closed = {
  OPEN: 0,
  LEFT: 1,
  RELAY_GONE: 2,
  DEADLINE: 3,
  CLIENT_GONE: 4,
  BAD: 5,
  UNCLAIMED: 7,
} as const;

/** Request flag: make the change durable before answering. */
export const FLAG_FLUSH = 1;
/** Request flag of READ: do not change atime. */
export const FLAG_QUIET = 2;

/** The part of a buffer that one request can carry, or one answer fill. */
export function transferable(bytes: Uint8Array): Uint8Array {
  return bytes.length <= MAX_TRANSFER_BYTES ? bytes : bytes.subarray(0, MAX_TRANSFER_BYTES);
}

/** Bytes of the frame before a request's path. */
export const REQUEST_BYTES = 16;
/** Bytes of the frame before a response's data. */
export const RESPONSE_BYTES = 8;

/** Byte offsets of the request's frame in the area. */
export const RequestAt = { OP: 0, FLAGS: 4, PATH_LEN: 8, DATA_LEN: 12 } as const;
/** Byte offsets of the response's frame in the area. */
export const ResponseAt = { STATUS: 0, DATA_LEN: 4 } as const;

/** What both sides of a channel share; it is sent in messages and tickets. */
export interface ChannelBuffers {
  /** The words of section 2. They serve one client: later they say why its channel is closed. */
  readonly words: SharedArrayBuffer;
  /** The request area. It may have served an earlier client, which has let it go. */
  readonly area: SharedArrayBuffer;
  /** Where the area begins in its buffer, in bytes, a multiple of 8: a program's memory may be both. Default 0. */
  readonly areaAt?: number;
}

/** The bytes of a channel, in the views that this code needs. */
export interface ChannelMemory {
  /** What is shared with the other side. */
  readonly buffers: ChannelBuffers;
  /** Words for Atomics. */
  readonly words: Int32Array;
  /** The request area as bytes. */
  readonly area: Uint8Array;
  /** The request area, for values. */
  readonly view: DataView;
}

/** The name of a channel: its four id words. */
export function channelId({ words }: Pick<ChannelMemory, "words">): string {
  const id = Array.from({ length: 4 }, (_, index) => {
    return (words[Word.ID + index]! >>> 0).toString(16).padStart(8, "0");
  });
  return id.join("");
}

/** The size of the area for a request of so many bytes: a multiple of 8. */
export function areaSize(areaBytes: number): number {
  return Math.max(MIN_AREA_BYTES, Math.ceil(areaBytes / 8) * 8);
}

/**
 * Makes the memory of a new channel, with an area made for it or one that is used again.
 *
 * @throws {ErrnoError} ENOMEM if there is not enough memory
 */
export function createChannelMemory(
  areaBytes: number,
  area: SharedArrayBuffer = createArea(areaBytes),
): ChannelMemory {
  const size = areaSize(areaBytes);
  invariant(area.byteLength === size, "R1: an area of {} bytes for {}", area.byteLength, size);
  const buffers = { words: sharedMemory(WORDS_BYTES), area };
  const words = new Int32Array(buffers.words);
  words[Word.MAGIC] = CHANNEL_MAGIC;
  words[Word.VERSION] = PROTOCOL_VERSION;
  words[Word.AREA_BYTES] = size;
  words[Word.RING_BYTES] = 0;
  words.set(crypto.getRandomValues(new Int32Array(4)), Word.ID);
  return viewsOf(buffers, size);
}

/**
 * Makes a request area.
 *
 * @throws {ErrnoError} ENOMEM if there is not enough memory
 */
export function createArea(areaBytes: number): SharedArrayBuffer {
  return sharedMemory(areaSize(areaBytes));
}

function sharedMemory(bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes);
  } catch (cause) {
    throw new ErrnoError("ENOMEM", `make a channel of ${bytes} bytes`, { cause });
  }
}

/**
 * The views of memory made elsewhere. Sizes are read here, once, and checked against the buffers.
 *
 * @throws {ErrnoError} EPROTO if it is no channel of this version
 */
export function openChannelMemory(buffers: ChannelBuffers): ChannelMemory {
  const { words: shared, area, areaAt = 0 } = buffers ?? {};
  if (!isShared(shared) || !isShared(area)) throw noChannel("its memory");
  if (shared.byteLength < WORDS_BYTES) throw noChannel("its size");
  const words = new Int32Array(shared, 0, WORDS_BYTES / 4);
  if (words[Word.MAGIC] !== CHANNEL_MAGIC) throw noChannel("its magic");
  if (words[Word.VERSION] !== PROTOCOL_VERSION) throw noChannel("its version");
  const size = words[Word.AREA_BYTES]!;
  const isPlace = Number.isSafeInteger(areaAt) && areaAt % 8 === 0 &&
    areaAt >= (area === shared ? WORDS_BYTES : 0);
  const fits = isPlace && size >= MIN_AREA_BYTES && areaAt + size <= area.byteLength;
  if (!fits || words[Word.RING_BYTES] !== 0) throw noChannel("its sizes");
  return viewsOf(buffers, size);
}

/** By the constructor's name: a frame in this page has another constructor. */
function isShared(buffer: unknown): buffer is SharedArrayBuffer {
  return Object.prototype.toString.call(buffer) === "[object SharedArrayBuffer]";
}

function viewsOf(buffers: ChannelBuffers, areaBytes: number): ChannelMemory {
  const { words, area, areaAt = 0 } = buffers;
  return {
    buffers,
    words: new Int32Array(words, 0, WORDS_BYTES / 4),
    area: new Uint8Array(area, areaAt, areaBytes),
    view: new DataView(area, areaAt, areaBytes),
  };
}

function noChannel(what: string): ErrnoError {
  return new ErrnoError("EPROTO", "attach a channel", {
    why: `${what} is not one of this version`,
  });
}

/** The part of a message that the header words carry. */
export interface Header {
  /** One of Signal. */
  signal: number;
  /** Bytes of this chunk in the area. */
  chunkBytes: number;
  /** Bytes of the whole message over all its chunks. */
  totalBytes: number;
  /** Which chunk this is, from 0. */
  chunkIndex: number;
}

/** Writes the header words; the channel publishes them. */
export function writeHeader(words: Int32Array, header: Header): void {
  invariant(header.totalBytes >= 0, "R1: a message is shorter than nothing");
  words[Word.CHUNK_LEN] = header.chunkBytes;
  words[Word.TOTAL_LOW] = header.totalBytes | 0;
  words[Word.TOTAL_HIGH] = highWord(header.totalBytes) | 0;
  words[Word.CHUNK_INDEX] = header.chunkIndex;
  words[Word.SIGNAL] = header.signal;
}

/** Copies the header words into private memory, each read once. */
export function readHeader(words: Int32Array, into: Header): void {
  into.signal = words[Word.SIGNAL]!;
  into.chunkBytes = words[Word.CHUNK_LEN]! >>> 0;
  into.totalBytes = joinWords(words[Word.TOTAL_LOW]! >>> 0, words[Word.TOTAL_HIGH]! >>> 0);
  into.chunkIndex = words[Word.CHUNK_INDEX]! >>> 0;
}
