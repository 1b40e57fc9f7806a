/**
 * A device that knows what its image's slots and names must be: those that it began with, and what
 * each record since says of them (S1). Whenever a header is written, which is when everything is
 * home, the tables on the device are compared with that, byte for byte.
 *
 * Layer: tests. Use: `openVolumeSync(new RecordedTables(memoryHandle()))`, and read `problems`.
 *
 * @module
 */
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { loadImage } from "../../opfs/volume/load/image.ts";
import * as L from "../../opfs/volume/format/layout.ts";
import { type FoundRecord, RecordReader } from "../../opfs/volume/format/record.ts";

/** The device. */
export class RecordedTables implements StorageHandle {
  readonly #handle: StorageHandle;
  #slots: Uint8Array = new Uint8Array(0);
  #names: Uint8Array = new Uint8Array(0);
  #isKnown = false;
  /** Whether a volume is to take it for a sparse one. */
  isSparse = false;
  /** How often the tables have been compared. */
  compared = 0;
  /** Records that have been laid over them. */
  records = 0;
  /** What was not as the records say. */
  readonly problems: string[] = [];

  /** Around a device. */
  constructor(handle: StorageHandle) {
    this.#handle = handle;
  }

  write(from: Uint8Array, options: { at: number }): number {
    const count = this.#handle.write(from, options);
    const { at } = options;
    if (at === L.HEADER_A_AT || at === L.HEADER_B_AT) this.#compare();
    else if (this.#isKnown && at >= L.RING_AT && isRecord(from)) this.#apply(from);
    return count;
  }

  #apply(bytes: Uint8Array): void {
    // As a ring of its own: a record is at most a quarter of one.
    const ring = new Uint8Array(bytes.length * 4);
    ring.set(bytes);
    const reader = new RecordReader(ring);
    const record: FoundRecord | null = reader.at(0);
    if (record === null) return void this.problems.push("a record that cannot be read");
    this.records++;
    const lists = reader.lists(record);
    for (const { index, bytes } of lists.slots) {
      this.#slots = reaching(this.#slots, (index + 1) * L.SLOT_BYTES);
      this.#slots.set(bytes, index * L.SLOT_BYTES);
    }
    for (const { offset, bytes } of lists.names) {
      this.#names = reaching(this.#names, offset + bytes.length);
      this.#names.set(bytes, offset);
    }
  }

  #compare(): void {
    const said: string[] = [];
    const { header, tables, replay } = loadImage(this.#handle, ({ rule, message }) => {
      if (rule === "V16") said.push(message);
    });
    if (header.state === L.STATE.FORMATTING) return;
    // The sums at home are those of the pages at home.
    if (this.#isKnown) this.problems.push(...said);
    if (!this.#isKnown) {
      this.#slots = tables.slots.slice();
      this.#names = tables.names.slice();
      this.#isKnown = true;
    }
    this.compared++;
    if (replay.records.length > 0) this.problems.push("a header before what records hold is home");
    this.#compareTable("slot", this.#slots, tables.slots, L.SLOT_BYTES);
    this.#compareTable("granule", this.#names, tables.names, L.GRANULE_BYTES);
  }

  #compareTable(what: string, said: Uint8Array, there: Uint8Array, unit: number): void {
    for (let at = 0; at < Math.max(said.length, there.length); at++) {
      if ((said[at] ?? 0) === (there[at] ?? 0)) continue;
      const where = `byte ${at % unit} of ${what} ${Math.floor(at / unit)}`;
      this.problems.push(`${where} is ${there[at]}, the records say ${said[at]}`);
      return;
    }
  }

  read(into: Uint8Array, options: { at: number }): number {
    return this.#handle.read(into, options);
  }

  getSize(): number {
    return this.#handle.getSize();
  }

  truncate(size: number): void {
    this.#handle.truncate(size);
  }

  flush(): void {
    this.#handle.flush();
  }

  close(): void {
    this.#handle.close();
  }
}

function isRecord(bytes: Uint8Array): boolean {
  if (bytes.length < L.RECORD_HEAD_BYTES) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(0, L.LE) === L.RECORD_MAGIC;
}

function reaching(bytes: Uint8Array, length: number): Uint8Array {
  if (length <= bytes.length) return bytes;
  const longer = new Uint8Array(length);
  longer.set(bytes);
  return longer;
}
