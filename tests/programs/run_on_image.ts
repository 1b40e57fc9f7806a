/**
 * Runs a compiled program on a volume in a file, in a process of its own:
 * `deno run -A run_on_image.ts <glue> <image> <directory>`. Prints what the program prints.
 */
import { fileHandle, openVolumeSync } from "../../mod.ts";
import { runOnVolume } from "./programs.ts";

const [glue = "", image = "", directory = ""] = Deno.args;
const volume = openVolumeSync(fileHandle(image));
const { lines, status } = await runOnVolume(glue, { volume, directory });
volume.close();
for (const line of lines) console.log(line);
Deno.exitCode = status;
