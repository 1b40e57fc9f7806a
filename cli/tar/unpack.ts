/**
 * The bytes of an archive, unpacked if gzip has packed them; their first bytes show that.
 *
 * Layer: cli, bottom.
 *
 * @module
 */
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { ErrnoError } from "../../mod.ts";

/** What programs that pack begin their files with. */
const PACKERS: readonly { magic: readonly number[]; program: string }[] = [
  { magic: [0x1f, 0x8b], program: "gzip" },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], program: "xz" },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], program: "zstd" },
  { magic: [0x42, 0x5a, 0x68], program: "bzip2" },
];
/** The longest of them. */
const MAGIC_BYTES = 5;

/** The program that has packed something, from its first bytes; null if none has. */
export function packerOf(start: Uint8Array): string | null {
  const found = PACKERS.find(({ magic }) => magic.every((byte, index) => start[index] === byte));
  return found?.program ?? null;
}

/**
 * The unpacked bytes.
 *
 * @throws {ErrnoError} ENOTSUP for what another program has packed; what zlib says of damage
 */
export async function* unpack(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, unknown, void>;
  let start: Uint8Array = new Uint8Array(0);
  while (start.length < MAGIC_BYTES) {
    const step = await iterator.next();
    if (step.done === true) break;
    start = start.length === 0 ? step.value : new Uint8Array([...start, ...step.value]);
  }
  const program = packerOf(start);
  const whole = joined(start, iterator);
  if (program === null) return yield* whole;
  if (program !== "gzip") {
    const how = `${program} -dc FILE | cairn import - IMAGE`;
    throw new ErrnoError("ENOTSUP", "read the tar", { why: `it is packed; unpack it: ${how}` });
  }
  const packed = Readable.from(whole);
  const bytes = createGunzip();
  packed.on("error", (error) => bytes.destroy(error));
  yield* packed.pipe(bytes);
}

async function* joined(
  start: Uint8Array,
  rest: AsyncIterator<Uint8Array, unknown, void>,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    if (start.length > 0) yield start;
    for (;;) {
      const step = await rest.next();
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    await rest.return?.();
  }
}
