/**
 * What the glue that emcc wrote (notes.js) exports, as far as we use it. Kept by hand.
 *
 * @module
 */
import type { EmscriptenModule } from "@cairn/fs/adapters/emscripten";

/** What a run of the program is given. */
export interface ProgramOptions {
  /** Called before main, when the module's filesystem is there: the place to mount. */
  preRun?: ((module: EmscriptenModule) => void)[];
  /** The program's arguments, its own name aside. */
  arguments?: string[];
  /** Gets each line of standard output; else the console does. */
  print?: (line: string) => void;
  /** Gets each line of standard error; else the console does. */
  printErr?: (line: string) => void;
  /** Gets the status with which the program ended. */
  onExit?: (status: number) => void;
  /** The bytes of notes.wasm; else they are fetched from beside the glue. */
  wasmBinary?: Uint8Array;
  /** Sets the module up without calling main. */
  noInitialRun?: boolean;
  /** Leaves files open when main returns. */
  noExitRuntime?: boolean;
}

/** Sets up the program and, unless an option says otherwise, runs it to its end. */
declare function createNotes(options?: ProgramOptions): Promise<EmscriptenModule>;
export default createNotes;
