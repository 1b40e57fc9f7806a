/**
 * A tar as a stream of entries, through modern-tar.
 *
 * Layer: cli. modern-tar does the archive: frames, checksums, numbers, what is cut short. What it
 * does not report comes from {@link Frames} on the same bytes, one frame for each entry; the two
 * must agree. Nothing is held but a megabyte or two of the stream. Use:
 *
 *     for await (const entry of readTar(bytes)) for await (const piece of entry.body) …
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../mod.ts";
import { clauseOf, UnplacedError } from "../shared/verb.ts";
import { type Frame, Frames, inBlocks } from "./frames.ts";
import { FIELD, putNumber } from "./header.ts";
import { shownName } from "./names.ts";
import { textOf, timeOf } from "./pax.ts";

/** An entry of a tar. */
export interface TarEntry extends Frame {
  /** Time of the last change of contents, in ms. */
  mtimeMs: number;
  /** Time of the last read, if said. */
  atimeMs: number | null;
  /** Time of the last change of anything, if said. */
  ctimeMs: number | null;
  /** The contents, piece by piece; to be read before the next entry, or not at all. */
  body: AsyncIterable<Uint8Array>;
}

/**
 * The entries of a tar. `onTail` is called when more than zeros follows its end: another archive, or
 * garbage.
 *
 * @throws {ErrnoError} EIO for one that is damaged or cut short, ENOTSUP for what cannot be read
 */
export async function* readTar(
  bytes: AsyncIterable<Uint8Array>,
  onTail: () => void = () => {},
): AsyncGenerator<TarEntry, void, void> {
  const { createTarDecoder } = await import("modern-tar");
  const seen: Frame[] = [];
  const frames = new Frames((frame, header) => {
    refuseUnreadable(frame);
    // modern-tar takes for damage what it does not know: a time before 1970, a number below 0.
    for (const field of [FIELD.MTIME, FIELD.MODE, FIELD.UID, FIELD.GID]) {
      putNumber(header, field, 0);
    }
    seen.push(frame);
  });
  const look = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      frames.push(chunk, (bytes) => controller.enqueue(bytes));
    },
  });
  const decoder = createTarDecoder({ strict: true });
  const blocks = ReadableStream.from(bytes).pipeThrough(inBlocks());
  const reader = blocks.pipeThrough(look).pipeThrough(decoder).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield entryOf(seen.shift(), value);
      if (!value.body.locked) await value.body.cancel();
    }
    if (seen.length > 0) {
      throw new ErrnoError("EIO", "read the tar", { why: "entries are missing" });
    }
    if (frames.hasTail) onTail();
  } catch (error) {
    throw asOurError(error);
  } finally {
    await reader.cancel().catch(() => {});
  }
}

type Parsed = import("modern-tar").ParsedTarEntry;

function entryOf(frame: Frame | undefined, { header, body }: Parsed): TarEntry {
  const isSame = frame !== undefined && (frame.sizeBytes === header.size || header.size === 0);
  if (!isSame) {
    throw new ErrnoError("EIO", "read the tar", { why: "its headers contradict each other" });
  }
  const { pax } = frame;
  const time = (key: string): number | null => {
    const said = pax.get(key);
    return said === undefined ? null : timeOf(textOf(said).text);
  };
  const number = (key: string): number | null => {
    const said = pax.get(key);
    return said === undefined ? null : Number(textOf(said).text);
  };
  const isFolder = header.type === "directory";
  return {
    ...frame,
    type: isFolder ? "5" : frame.type,
    uid: number("uid") ?? frame.uid,
    gid: number("gid") ?? frame.gid,
    mtimeMs: time("mtime") ?? frame.mtimeSeconds * 1000,
    atimeMs: time("atime"),
    ctimeMs: time("ctime"),
    body: piecesOf(body),
  };
}

/** The body; a caller that does not want the rest of it lets it go by. */
async function* piecesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw asOurError(error);
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Its body is not where its header says: nothing after it could be read. */
function refuseUnreadable({ type, name, mode }: Frame): void {
  if (Number.isNaN(mode)) {
    const why = `the header of "${shownName(name)}" is damaged`;
    throw new ErrnoError("EIO", "read the tar", { why });
  }
  if (type !== "M") return;
  const why = "it is a later part of an archive of several volumes";
  throw new ErrnoError("ENOTSUP", "read the tar", { why });
}

function isOfZlib(error: unknown): boolean {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" && code.startsWith("Z_");
}

/** Gives the errors of modern-tar, which have no code, and of zlib an errno. */
function asOurError(error: unknown): unknown {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  const isOurs = isErrnoError(error) || error instanceof UnplacedError;
  if (isOurs || (typeof code === "string" && !isOfZlib(error))) return error;
  const words = clauseOf(error);
  const why = isOfZlib(error) ? `gzip: ${words}` : words[0]!.toLowerCase() + words.slice(1);
  return new ErrnoError("EIO", "read the tar", { why, cause: error });
}
