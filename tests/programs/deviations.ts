/**
 * Where a program compiled by emcc 3.1.6 behaves differently from the same program on Linux, and
 * why. Everything here is decided above the filesystem type, in the module's own layer, unless
 * `volume` is absent: then a volume does what Linux does and only the stock MEMFS differs.
 *
 * The test fails for a difference that is not here, and for an entry that does not occur.
 */

/** One line of a program that differs. null: the line is missing. */
export interface Deviation {
  /** The program. */
  in: "bytes" | "names" | "maps" | "tree";
  /** The name of the line. */
  line: string;
  /** What it says over the module's MEMFS; absent where it says what Linux says. */
  memfs?: string | null;
  /** What it says over a volume; absent where it says what Linux says. */
  volume?: string | null;
  /** Whose doing it is. */
  why: string;
}

function both(line: string, says: string | null): Pick<Deviation, "line" | "memfs" | "volume"> {
  return { line, memfs: says, volume: says };
}

const SWALLOWED = "open and mknod of 3.1.6 swallow the error of the walk";
const VECTORS = "3.1.6 passes the same offset for each vector of preadv and pwritev";
const BY_PATH = "3.1.6 goes by path: dup opens again, fstat walks";
const APPEND = "MEMFS writes where pwrite says; Linux and a volume append";
const NO_LINKS = "the C library of 3.1.6 answers link itself";
const NO_FIFO = "MEMFS has no FIFOs";
const TEXTUAL = '3.1.6 removes ".." from the string before it walks';
const NO_OFFSET = "msync of 3.1.6 sends no position, which MEMFS takes for 0";
const WHOLE_MAP = "MEMFS writes the whole map back and grows the file";
const CLOSED =
  "3.1.6 finds a map's file by descriptor: once that is closed, nothing is written back";
const REUSED = "3.1.6 finds a map's file by descriptor, which is another file's by now";
const LIMIT = "MEMFS has no limit of a name's length";

/** Every known one. */
export const DEVIATIONS: readonly Deviation[] = [
  { in: "bytes", ...both("open below a file", "ENOENT"), why: SWALLOWED },
  { in: "bytes", ...both("preadv second", '"abcde"'), why: VECTORS },
  { in: "bytes", ...both("after pwritev, length", "9"), why: VECTORS },
  { in: "bytes", ...both("after pwritev", '"abcddefgh"'), why: VECTORS },
  { in: "bytes", line: "appended, length", memfs: "16", why: APPEND },
  { in: "bytes", line: "appended", memfs: '"pos two one two "', why: APPEND },
  { in: "bytes", ...both("position of the copy", "0"), why: BY_PATH },
  { in: "bytes", ...both("fstat of it", "ENOENT"), why: BY_PATH },
  {
    in: "bytes",
    line: "stat of the replaced name",
    memfs: "0",
    why: "MEMFS of 3.1.6 leaves what rename replaced in the name table",
  },
  { in: "names", ...both("mkdir below a file", "EACCES"), why: SWALLOWED },
  { in: "names", ...both("unlink below a file", "EACCES"), why: SWALLOWED },
  {
    in: "names",
    ...both("readlink", '"/data/names/b"'),
    why: "readlink of 3.1.6 resolves the target",
  },
  { in: "names", ...both("beside the target of a link", "ENOENT"), why: TEXTUAL },
  { in: "names", ...both("beside the target of a link, length", null), why: TEXTUAL },
  { in: "names", ...both("link", "EMLINK"), why: NO_LINKS },
  { in: "names", ...both("its names", "1"), why: NO_LINKS },
  { in: "names", ...both("atime", "1234567890"), why: "3.1.6 sets one time, the later of both" },
  { in: "names", line: "a name of 256 bytes", memfs: "3", why: LIMIT },
  { in: "names", line: "mknod of a FIFO", memfs: "EPERM", why: NO_FIFO },
  { in: "names", line: "stat of a FIFO", memfs: "ENOENT", why: NO_FIFO },
  { in: "maps", line: "first page", memfs: '"SECOND"', why: NO_OFFSET },
  { in: "maps", line: "second page", memfs: '"page\\00\\00"', why: NO_OFFSET },
  { in: "maps", line: "page 0 in window 1", memfs: '"Bage\\00\\00"', why: NO_OFFSET },
  { in: "maps", line: "page 1 in window 1", memfs: '"page\\00\\00"', why: NO_OFFSET },
  { in: "maps", line: "page 0 in window 2", memfs: '"Cage\\00\\00"', why: NO_OFFSET },
  { in: "maps", line: "page 2 in window 2", memfs: '"page\\00\\00"', why: NO_OFFSET },
  { in: "maps", line: "page 0 of several", memfs: '"EEEEEE"', why: NO_OFFSET },
  { in: "maps", line: "page 1 of several", memfs: '"page\\00\\00"', why: NO_OFFSET },
  { in: "maps", line: "page 2 of several", memfs: '"page\\00\\00"', why: NO_OFFSET },
  { in: "maps", line: "only what was inside, length", memfs: "4096", why: WHOLE_MAP },
  {
    in: "maps",
    line: "only what was inside",
    memfs: `"01234567ABCDEF${"\\00".repeat(50)}"`,
    why: WHOLE_MAP,
  },
  { in: "maps", line: "the bystander", memfs: '"CHANGE"', why: REUSED },
  { in: "maps", ...both("written after close", '"mapped file"'), why: CLOSED },
  { in: "tree", line: "./bytes/vector", volume: "file 644, 9 bytes, sum 197712323", why: VECTORS },
  { in: "tree", line: "./maps/mapped", volume: "file 644, 11 bytes, sum 3636901032", why: CLOSED },
  { in: "tree", line: "./names/hard", volume: null, why: NO_LINKS },
];
