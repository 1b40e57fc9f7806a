/** Device numbers. */
import { assertEquals } from "@std/assert";
import { deviceNumber, deviceParts, deviceText } from "../../../cli/shared/devices.ts";

Deno.test("deviceNumber() and deviceParts() are each other's inverse", () => {
  for (
    const parts of [{ major: 5, minor: 1 }, { major: 8, minor: 300 }, {
      major: 4095,
      minor: 0xfffff,
    }]
  ) {
    assertEquals(deviceParts(deviceNumber(parts)), parts);
  }
  assertEquals(deviceNumber({ major: 5, minor: 1 }), 0x501);
  assertEquals(deviceText(0x501), "5,1");
});
