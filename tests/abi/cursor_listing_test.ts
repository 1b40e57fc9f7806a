/** Listings in pieces over a backend that knows names only: what is asked, and what is given. */
import { assertEquals } from "@std/assert";
import { CursorListing } from "../../abi/cursor_listing.ts";

/** A directory that counts how often it is listed, and how often a name of it is looked at. */
class Directory {
  names: string[];
  readonly listing = new CursorListing();
  asked = 0;
  looked = 0;

  constructor(count: number) {
    this.names = Array.from({ length: count }, (_, index) => `f${index}`);
  }

  read(after: number, most: number): { name: string; cursor: number }[] {
    const names = () => (this.asked++, [".", "..", ...this.names]);
    return this.listing.read({ after, most, names }, (place) => {
      this.looked++;
      return this.names.includes(place.name) ? place : null;
    });
  }

  /** All names, by pieces; `between` is called after each. */
  readAll(most: number, between: (piece: string[]) => void = () => {}): string[] {
    const all: string[] = [];
    for (let after = 0;;) {
      const piece = this.read(after, most);
      if (piece.length === 0) return all;
      after = piece.at(-1)!.cursor;
      all.push(...piece.map(({ name }) => name));
      between(piece.map(({ name }) => name));
    }
  }
}

Deno.test("CursorListing asks for the names at the start and the end, and looks at each once", () => {
  const directory = new Directory(1000);
  assertEquals(directory.readAll(32), directory.names);
  assertEquals([directory.asked, directory.looked], [2, 1000]);
});

Deno.test("CursorListing gives what stays once, what is gone not, and what is new at the end", () => {
  const directory = new Directory(10);
  const seen = directory.readAll(3, (piece) => {
    if (piece[0] === "f0") directory.names = directory.names.filter((name) => name !== "f4");
    if (piece[0] === "f3") directory.names.unshift("new");
  });
  assertEquals(seen, ["f0", "f1", "f2", "f3", "f5", "f6", "f7", "f8", "f9", "new"]);
});

Deno.test("CursorListing keeps the cursor of a name, and gives none a second time", () => {
  const directory = new Directory(3);
  const [, second, third] = directory.read(0, 9);
  directory.names = ["f1", "later"];
  const again = directory.read(0, 9);
  assertEquals(again.map(({ name }) => name), ["f1", "later"]);
  assertEquals(again[0], second);
  assertEquals(again[1]!.cursor > third!.cursor, true);
  assertEquals(directory.read(again[1]!.cursor, 9), []);
});

Deno.test("CursorListing of a directory that nothing was read of goes on from any cursor", () => {
  assertEquals(new Directory(5).read(3, 9).map(({ name }) => name), ["f3", "f4"]);
});
