/** Ranges with the question which of them touch one, against a list that is walked. */
import { assertEquals } from "@std/assert";
import { type Interval, Intervals } from "../../abi/intervals.ts";
import { Random } from "../support/random.ts";

interface Named extends Interval {
  name: number;
}

/** The same by a walk through a list. */
class List {
  items: Named[] = [];

  insert(item: Named): void {
    const at = this.items.findIndex((other) => other.start > item.start);
    this.items.splice(at < 0 ? this.items.length : at, 0, item);
  }

  overlapping(start: number, end: number): Named[] {
    return this.items.filter((item) => item.start < end && start < item.end);
  }
}

Deno.test("Intervals answers what a walked list answers, in the same order", () => {
  for (const seed of [1, 2, 3, 4]) {
    const random = new Random(seed);
    const [tree, list] = [new Intervals<Named>(), new List()];
    for (let step = 0; step < 600; step++) {
      const start = random.below(60);
      const end = random.below(8) === 0 ? Infinity : start + 1 + random.below(12);
      if (random.below(3) > 0 || list.items.length === 0) {
        const item = { start, end, name: step };
        tree.insert(item);
        list.insert(item);
      } else {
        const [gone] = list.items.splice(random.below(list.items.length), 1);
        assertEquals(tree.delete(gone!), true);
        assertEquals(tree.delete(gone!), false);
      }
      assertEquals(tree.size, list.items.length);
      assertEquals(tree.overlapping(start, end), list.overlapping(start, end));
      const isWanted = ({ name }: Named) => name % 3 === 0;
      const wanted = list.overlapping(start, end).find(isWanted) ?? null;
      assertEquals(tree.find(start, end, isWanted), wanted);
    }
    assertEquals(tree.items(), list.items);
  }
});

Deno.test("Intervals takes the same range once, and equal ranges each", () => {
  const tree = new Intervals<Named>();
  const [one, other] = [{ start: 0, end: 5, name: 1 }, { start: 0, end: 5, name: 2 }];
  for (const item of [one, one, other]) tree.insert(item);
  assertEquals(tree.items(), [one, other]);
  tree.delete(one);
  tree.insert(one);
  assertEquals(tree.items(), [other, one]);
});

Deno.test("Intervals looks at few of many ranges, in whatever order they came", () => {
  const count = 1 << 14;
  for (const place of [(at: number) => at, (at: number) => count - at, scattered]) {
    const tree = new Intervals<Named>();
    let looked = 0;
    class Watched implements Named {
      name = 0;
      readonly start: number;
      constructor(start: number) {
        this.start = start;
      }
      get end(): number {
        return looked++, this.start + 1;
      }
    }
    for (let at = 0; at < count; at++) tree.insert(new Watched(place(at) * 2));
    // Some 14 levels, of which a treap has up to three times as many, and both children's ends.
    assertEquals(looked / count < 100, true, `${looked / count} looks per insert`);
    looked = 0;
    assertEquals(tree.overlapping(count, count + 2).length, 1);
    assertEquals(looked < 100, true, `${looked} looks for one`);
  }
});

function scattered(at: number): number {
  return at * 7919 % (1 << 14);
}
