/** Where the bytes of an msync belong, by what the module sends and what its memory holds. */
import { assertEquals, assertThrows } from "@std/assert";
import { type MapQuestion, SharedMaps } from "../../../adapters/emscripten/maps.ts";

const PAGE = 8;

/** A module's memory with a map in each given place: file position to letter. */
class Program {
  readonly heap = new Uint8Array(10 * PAGE);
  readonly file = new Uint8Array(10 * PAGE);
  readonly maps: SharedMaps;

  constructor(sendsNone: boolean) {
    this.maps = new SharedMaps(sendsNone);
  }

  map(ptr: number, position: number, letter: string, isWritable = true): void {
    this.maps.add({ ptr, length: PAGE, position, isWritable });
    this.heap.fill(letter.charCodeAt(0), ptr, ptr + PAGE);
  }

  /** What msync of the map at `ptr` gets, as the module would ask. */
  msync(ptr: number, more: Partial<MapQuestion> = {}): readonly number[] {
    const bytes = this.heap.slice(ptr, ptr + PAGE);
    const isInFile = (at: number) =>
      this.file.subarray(at, at + PAGE).every((byte, index) => byte === bytes[index]);
    return this.maps.positionsOf({ bytes, position: 0, heap: this.heap, isInFile, ...more });
  }
}

function refused(call: () => unknown): void {
  assertThrows(call, Error, "EINVAL");
}

Deno.test("SharedMaps finds the map that holds the bytes, among several", () => {
  const program = new Program(true);
  program.map(0, 2 * PAGE, "a");
  program.map(PAGE, 0, "b");
  program.map(2 * PAGE, PAGE, "c");
  assertEquals([0, PAGE, 2 * PAGE].map((ptr) => program.msync(ptr)), [[2 * PAGE], [0], [PAGE]]);
});

Deno.test("SharedMaps forgets a map whose memory another one has, and one that an munmap names", () => {
  const program = new Program(true);
  program.map(0, 0, "a");
  program.map(0, PAGE, "a");
  assertEquals(program.msync(0), [PAGE]);
  assertEquals(program.msync(0, { position: PAGE }), [PAGE]);
  refused(() => program.msync(0));
});

Deno.test("SharedMaps writes nothing through a map that is not to be written", () => {
  const program = new Program(true);
  program.map(0, 0, "a", false);
  assertEquals(program.msync(0), []);
  program.map(PAGE, PAGE, "a");
  assertEquals(program.msync(PAGE), [PAGE]);
});

Deno.test("SharedMaps takes maps that hold the same for what they are, and guesses nothing", () => {
  const program = new Program(true);
  program.map(0, PAGE, "a");
  program.map(PAGE, 2 * PAGE, "a");
  // Both live and both changed: what is stored into a shared map belongs into the file.
  assertEquals(program.msync(0), [PAGE, 2 * PAGE]);
  program.file.fill(97, PAGE, 2 * PAGE);
  assertEquals(program.msync(0), [2 * PAGE]);
  program.file.fill(97, 2 * PAGE, 3 * PAGE);
  assertEquals(program.msync(0), []);
  // One at 0 may be gone: this module does not say so.
  program.map(2 * PAGE, 0, "a");
  program.file.fill(0);
  refused(() => program.msync(0));
});

Deno.test("SharedMaps refuses bytes that no map holds, and all bytes where memory is not shown", () => {
  const program = new Program(true);
  program.map(0, PAGE, "a");
  refused(() => program.msync(0, { bytes: new Uint8Array(PAGE) }));
  refused(() => program.msync(0, { bytes: new Uint8Array(PAGE + 1).fill(97) }));
  refused(() => program.msync(0, { heap: null }));
  refused(() => program.msync(0, { heap: new Uint8Array(4) }));
});

Deno.test("SharedMaps believes a module that sends positions", () => {
  const program = new Program(false);
  program.map(0, 0, "a");
  program.map(PAGE, PAGE, "a");
  assertEquals(program.msync(0), [0]);
  assertEquals(program.msync(0, { heap: null }), [0]);
  assertEquals(program.msync(PAGE, { position: PAGE }), [PAGE]);
  assertEquals(program.msync(PAGE, { position: PAGE, heap: null }), [PAGE]);
});
