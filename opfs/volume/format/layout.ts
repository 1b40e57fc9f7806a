/**
 * Every byte offset of a version-2 image, and nothing else: docs/FORMAT.md as constants.
 *
 * Layer: opfs/volume, the bottom. It alone writes an offset down: the lint rule `layout/offset`
 * (tools/offsets.ts) wants its name elsewhere. All numbers are little-endian: `view.getFloat64(at + SLOT.SIZE, LE)`,
 * where `at` is where the slot begins.
 *
 * @module
 */

/** The byte order of everything on disk, as DataView wants to hear it. */
export const LE = true;

/** Places at the start of the image do not depend on the block size: all are multiples of this. */
export const PAGE_BYTES = 4096;
/** The superblock's courtesy copy. */
export const SUPERBLOCK_AT = 0;
/** Journal header A. */
export const HEADER_A_AT = 4096;
/** Journal header B. */
export const HEADER_B_AT = 8192;
/** The journal's ring; as long as HEADER.RING_PAGES says. Sums are between it and `inodeOffset`. */
export const RING_AT = 12288;
/** The smallest ring. */
export const RING_BYTES_MIN: number = 128 * 1024;
/** The ring of a new image. */
export const RING_BYTES_DEFAULT: number = 512 * 1024;

/** Bytes `21 53 46 56` at the start of an image. */
export const SUPERBLOCK_MAGIC = 0x56465321;
/** Bytes of a superblock. */
export const SUPERBLOCK_BYTES = 64;
/** Fields of the superblock. */
export const SUPERBLOCK = {
  MAGIC: 0,
  VERSION: 4,
  INODE_COUNT: 8,
  BLOCK_SIZE: 12,
  TOTAL_BLOCKS: 16,
  FREE_BLOCKS: 20,
  INODE_OFFSET: 24,
  PATH_OFFSET: 32,
  DATA_OFFSET: 40,
  BITMAP_OFFSET: 48,
  PATH_USED: 56,
  CRC: 60,
} as const;
/** The version that this engine reads and writes in place. */
export const VERSION_2 = 2;
/** The version of `@componentor/fs`, which can be imported. */
export const VERSION_1 = 1;

/** Smallest and largest block. */
export const BLOCK_BYTES_MIN = 512;
/** See BLOCK_BYTES_MIN. */
export const BLOCK_BYTES_MAX: number = 1 << 20;
/** The block size of a new image. */
export const BLOCK_BYTES_DEFAULT = 4096;
/** Blocks of a volume and of a file. */
export const BLOCKS_MAX = 0x7fffffff;

/** Slots of a new image. */
export const FRESH_SLOTS = 1024;
/** Bytes of names in a new image. */
export const FRESH_NAME_BYTES: number = 64 * 1024;
/** Data blocks of a new image. */
export const FRESH_BLOCKS = 64;

/** Bytes of a slot. */
export const SLOT_BYTES = 64;
/** The root directory's slot. */
export const ROOT_SLOT = 0;
/** Slots below this, except the root, hold segment descriptors and nothing else. */
export const FIRST_FILE_SLOT = 32;
/** Slots of a volume. */
export const SLOTS_MAX: number = 1 << 24;

/** What a slot holds. */
export const TYPE = {
  FREE: 0,
  FILE: 1,
  DIRECTORY: 2,
  SYMLINK: 3,
  LINK: 4,
  SEGMENT: 5,
  CONTINUATION: 6,
  XATTR: 7,
} as const;

/** Fields of an inode record (types 1 to 4). A type-4 record has its target slot in FIRST_BLOCK. */
export const SLOT = {
  TYPE: 0,
  FLAGS: 1,
  GENERATION: 2,
  PATH_OFFSET: 4,
  PATH_LENGTH: 8,
  NLINK: 10,
  MODE: 12,
  SIZE: 16,
  FIRST_BLOCK: 24,
  BLOCK_COUNT: 28,
  MTIME: 32,
  CTIME: 40,
  ATIME: 48,
  UID: 56,
  GID: 60,
} as const;
/** In SLOT.FLAGS: the file has continuation slots. */
export const FLAG_CONTINUED = 1;
/** Names that a file may have. */
export const NLINK_MAX = 65535;

/** Fields of a segment descriptor (type 5). */
export const SEGMENT = {
  TABLE: 1,
  ORDINAL: 2,
  FIRST_BLOCK: 4,
  BLOCK_COUNT: 8,
  ZERO: 12,
  LOGICAL: 16,
  BYTES: 24,
  REST: 32,
} as const;
/** Values of SEGMENT.TABLE. */
export const TABLE = { SLOTS: 1, NAMES: 2, BITMAP: 3 } as const;

/** Fields of a continuation slot (type 6). GENERATION is the slot's own. */
export const CONTINUATION = {
  RUNS: 1,
  OWNER_GENERATION: 2,
  OWNER: 4,
  FILE_BLOCK: 8,
  GENERATION: 12,
  ZERO: 14,
  PAIRS: 16,
} as const;
/** Pairs in a continuation slot. */
export const PAIRS_MAX = 6;
/** Fields of a pair; an inode's own pair is FIRST_BLOCK and BLOCK_COUNT. */
export const PAIR = { BLOCK: 0, COUNT: 4 } as const;
/** Bytes of a pair. */
export const PAIR_BYTES = 8;
/** The first block of a pair that stands for a hole. */
export const HOLE_BLOCK = 0xffffffff;
/** In a pair's count: the blocks are owned and read as zeros. */
export const UNWRITTEN = 0x80000000;

/**
 * Fields of an extended attribute (type 7). GENERATION is the slot's own; without pairs the value
 * follows the name, else the pairs are its blocks.
 */
export const XATTR = {
  RUNS: 1,
  GENERATION: 2,
  PATH_OFFSET: 4,
  PATH_LENGTH: 8,
  OWNER_GENERATION: 10,
  OWNER: 12,
  SIZE: 16,
  /** The sum of a value in blocks; zero for another one, and in an image without sums. */
  SUM: 20,
  PAIRS: 24,
} as const;
/** Pairs in an extended attribute's slot. */
export const XATTR_PAIRS_MAX = 5;
/** Bytes of an extended attribute's name. */
export const XATTR_NAME_BYTES_MAX = 255;
/** Bytes of name and value together that stand in an entry; a longer value is in blocks. */
export const XATTR_ENTRY_BYTES_MAX = 268;
/** Bytes of an extended attribute's value. */
export const XATTR_VALUE_BYTES_MAX = 65536;
/** Bytes of the names of one inode's extended attributes, one more for each. */
export const XATTR_LIST_BYTES_MAX = 65536;

/** A name's entry: u32 parent slot, then the name, in whole granules. */
export const NAME = { PARENT: 0, BYTES: 4 } as const;
/** What entries are multiples of. */
export const GRANULE_BYTES = 16;
/** Bytes of a name. */
export const NAME_BYTES_MAX = 255;
/** Bytes of the names of a volume. */
export const NAME_TABLE_BYTES_MAX = 0xfffffff0;
/** Bytes of a symbolic link's target. */
export const TARGET_BYTES_MAX = 4095;

/** Bytes `43 52 4E 4A`. */
export const HEADER_MAGIC = 0x4a4e5243;
/** Bytes of a journal header; the rest of its page is zero. */
export const HEADER_BYTES = 256;
/** The version of the header. */
export const HEADER_VERSION = 1;
/** Fields of a journal header. */
export const HEADER = {
  MAGIC: 0,
  VERSION: 4,
  STATE: 8,
  CRC: 12,
  COUNTER: 16,
  TAIL_SEQUENCE: 24,
  TAIL_PLACE: 32,
  TAIL_CHECKSUM: 36,
  SALT: 40,
  SALT_COUNTED: 44,
  RING_PAGE: 48,
  RING_PAGES: 52,
  TERM: 56,
  ZERO: 60,
  SUPERBLOCK: 64,
  VOLUME_ID: 128,
  FEATURES_INCOMPATIBLE: 144,
  FEATURES_READ_ONLY: 148,
  FEATURES_COMPATIBLE: 152,
  LABEL: 156,
  LIMIT: 220,
  REST: 228,
} as const;
/** In HEADER.FEATURES_INCOMPATIBLE: pages of slots and names have sums, and so have targets. */
export const FEATURE_SUMS = 1;
/** The bits of HEADER.FEATURES_INCOMPATIBLE that a reader may meet. */
export const FEATURES_INCOMPATIBLE_KNOWN: number = FEATURE_SUMS;
/** In HEADER.FEATURES_READ_ONLY: there are extended attributes. */
export const FEATURE_XATTR = 1;
/** The bits of HEADER.FEATURES_READ_ONLY that a writer may meet. */
export const FEATURES_READ_ONLY_KNOWN: number = FEATURE_XATTR;
/** Bytes of HEADER.VOLUME_ID. */
export const VOLUME_ID_BYTES = 16;
/** Bytes of HEADER.LABEL. */
export const LABEL_BYTES = 64;
/** Values of HEADER.STATE. */
export const STATE = { FORMATTING: 1, IN_USE: 2, CLOSED: 3 } as const;

/** Bytes of a checksum in a header or a record. */
export const CHECKSUM_BYTES = 4;
/** Bytes of a sum. */
export const SUM_BYTES = 4;
/** Bytes of a table to each byte of its sums. */
export const SUMMED_PER_BYTE: number = PAGE_BYTES / SUM_BYTES;
/** The kind of a page in the key of a record's sum. */
export const SUM_KIND = { SLOTS: 0, NAMES: 1 } as const;
/** In the key of a record's sum: the page below, its kind above. */
export const SUM_KIND_SHIFT = 28;

/** Bytes `43 52 4E 52`. */
export const RECORD_MAGIC = 0x524e5243;
/** Records begin at multiples of this, and a torn write tears at one. */
export const SECTOR_BYTES = 512;
/** Bytes of a record before its lists. */
export const RECORD_HEAD_BYTES = 64;
/** Fields of a journal record. */
export const RECORD = {
  MAGIC: 0,
  BYTES: 4,
  SEQUENCE: 8,
  SEQUENCE_HIGH: 12,
  SALT: 16,
  SALT_COUNTED: 20,
  PREVIOUS: 24,
  CHECKSUM: 28,
  TOTAL_BLOCKS: 32,
  SLOTS: 36,
  NAMES: 40,
  DATA: 44,
  SUMS: 48,
  /** CRC-32C of the record; zero in an image without sums. */
  CHECKSUM_C: 52,
  TIME: 56,
} as const;
/** In a record's list of slots. */
export const RECORD_SLOT = { INDEX: 0, SLOT: 4 } as const;
/** Bytes of one of them. */
export const RECORD_SLOT_BYTES: number = RECORD_SLOT.SLOT + SLOT_BYTES;
/** In a record's list of names: before the bytes, which are padded to 4. */
export const RECORD_NAME = { OFFSET: 0, LENGTH: 4 } as const;
/** Bytes of that. */
export const RECORD_NAME_HEAD_BYTES = 8;
/** In a record's list of data: before the bytes, which are padded to 4. */
export const RECORD_DATA = { BLOCK: 0, OFFSET: 4, LENGTH: 8 } as const;
/** Bytes of that. */
export const RECORD_DATA_HEAD_BYTES = 12;
/** In a record's list of sums. */
export const RECORD_SUM = { KEY: 0, SUM: 4 } as const;
/** Bytes of one of them. */
export const RECORD_SUM_BYTES = 8;

/** `bytes` rounded up to a multiple of `unit`. */
export function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}
