import { assertEquals, assertThrows } from "@std/assert";
import { canHoldDevice, hasHostFiles, placeOf } from "../../../opfs/relay/place.ts";

/** Loads the module anew where the given globals are what a browser has. */
async function inBrowser(globals: Record<string, unknown>) {
  const before = new Map(Object.keys(globals).map((name) => [name, Reflect.get(globalThis, name)]));
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  const place = await import("../../../opfs/relay/place.ts");
  const undo = () => {
    for (const [name, value] of before) {
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
  };
  return { place, undo };
}

Deno.test("placeOf() finds host files by name and by path", () => {
  assertEquals(hasHostFiles(), true);
  const rows = [
    ["notes", "notes.cairn"],
    ["notes.cairn", "notes.cairn"],
    ["a/b", "a/b"],
    ["/tmp/x.cairn", "/tmp/x.cairn"],
  ];
  for (const [name, path] of rows) assertEquals(placeOf(name!), { kind: "host", path: path! });
  assertEquals(canHoldDevice(placeOf("notes")), true);
  for (const name of ["", "a\0b"]) assertThrows(() => placeOf(name), Error, "EINVAL");
});

Deno.test("placeOf() finds the origin private file system of a browser", async () => {
  const storage = { getDirectory: () => {} };
  const { place, undo } = await inBrowser({ process: undefined, navigator: { storage } });
  try {
    assertEquals(place.placeOf("notes"), { kind: "opfs", path: "/notes.cairn" });
    assertEquals(place.placeOf("a/b"), { kind: "opfs", path: "/a/b.cairn" });
    // One volume has one path, however many slashes it was asked for with.
    assertEquals(place.placeOf("//a///b"), { kind: "opfs", path: "/a/b.cairn" });
    assertEquals(place.canHoldDevice({ kind: "opfs", path: "/a.cairn" }), false);
    class FileSystemFileHandle {
      createSyncAccessHandle(): void {}
    }
    Reflect.set(globalThis, "FileSystemFileHandle", FileSystemFileHandle);
    assertEquals(place.canHoldDevice({ kind: "opfs", path: "/a.cairn" }), true);
    Reflect.set(globalThis, "navigator", {});
    assertThrows(() => place.placeOf("notes"), Error, "there is no origin private file system");
    Reflect.set(globalThis, "isSecureContext", false);
    assertThrows(() => place.placeOf("notes"), Error, "without https");
  } finally {
    undo();
    Reflect.deleteProperty(globalThis, "FileSystemFileHandle");
    Reflect.deleteProperty(globalThis, "isSecureContext");
  }
});
