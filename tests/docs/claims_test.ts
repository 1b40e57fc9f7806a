/**
 * Claims of the form "X alone does it", in docs/ARCHITECTURE.md, docs/PROTOCOL.md and the heads of
 * source files. Each one that is found must stand here with what makes it true.
 */
import { assert, assertEquals } from "@std/assert";
import { isGenerated, PUBLISHED, readText, sourceFiles } from "../../tools/project.ts";

/** What a claim looks like. */
const CLAIM =
  /(?:\.ts`?|\bIt) alone (?:knows?|waits?|touch|touches|reads?|writes?|has|says?|may)\b|\.ts`? alone\s+(?:wait|touch)|[Nn]o other file|[Tt]he one place (?:that|where)|[Oo]nly (?:file|code|place|module) that/g;

/** Whether a lint plugin is switched on; its own test says what it refuses. */
function isLinted(plugin: string): boolean {
  return readText("deno.json").includes(`"./tools/${plugin}.ts"`);
}

/** The files of a folder whose code matches. */
function filesWith(folder: string, pattern: RegExp): string[] {
  return sourceFiles([folder]).filter((path) => !isGenerated(path) && pattern.test(codeOf(path)));
}

/** The same for what a mounted volume consists of: without loading, tools and the exchange. */
function mounted(pattern: RegExp): string[] {
  return filesWith("opfs/volume", pattern)
    .filter((path) => !/^opfs\/volume\/(load|tools|version1)\//.test(path));
}

function codeOf(path: string): string {
  return readText(path).replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

interface Claim {
  /** The file that says it. */
  where: string;
  /** Its words. */
  words: string;
  /** Fails if it is not so. */
  holds(): void;
}

const CLAIMS: readonly Claim[] = [
  {
    where: "docs/ARCHITECTURE.md",
    words: "`format/layout.ts` alone knows",
    holds: () => assert(isLinted("offsets")),
  },
  {
    where: "opfs/volume/format/layout.ts",
    words: "It alone writes",
    holds: () => assert(isLinted("offsets")),
  },
  {
    where: "docs/ARCHITECTURE.md",
    words: "`path_ops.ts` alone touch",
    holds: () => assert(isLinted("offsets")),
  },
  {
    where: "docs/ARCHITECTURE.md",
    words: "`doorbell.ts` alone wait",
    holds: () => {
      const waiting = filesWith("opfs/relay", /\bAtomics\.wait(Async)?\(/);
      assertEquals(waiting, ["opfs/relay/channel.ts", "opfs/relay/doorbell.ts"]);
    },
  },
  {
    where: "abi/thrown.ts",
    words: "The one place that",
    holds: () => assert(isLinted("messages")),
  },
  {
    where: "opfs/volume/journal/flush.ts",
    words: "The one place where",
    holds: () => assertEquals(mounted(/handle\.flush\(/), ["opfs/volume/journal/flush.ts"]),
  },
  {
    where: "opfs/volume/space/resize.ts",
    words: "The one place where",
    holds: () => assertEquals(mounted(/handle\.truncate\(/), ["opfs/volume/space/resize.ts"]),
  },
  {
    where: "adapters/fuse/linux.ts",
    words: "no other file",
    holds: () => assertEquals(filesWith("adapters", /\bdlopen\(/), ["adapters/fuse/linux.ts"]),
  },
];

/** Every claim in docs and source, as `FILE: WORDS`. */
function claimsMade(): string[] {
  const source = sourceFiles(PUBLISHED).concat("mod.ts").filter((path) => !isGenerated(path));
  const files = ["docs/ARCHITECTURE.md", "docs/PROTOCOL.md", ...source];
  return files.flatMap((path) => {
    const text = readText(path).replace(/\n\s*\*? */g, " ");
    return [...text.matchAll(CLAIM)].map((match) => {
      const from = match[0].startsWith(".ts") ? text.lastIndexOf("`", match.index) : match.index;
      return `${path}: ${text.slice(from, match.index + match[0].length)}`;
    });
  });
}

Deno.test("every claim that one file alone does something has its check", () => {
  const known = CLAIMS.map(({ where, words }) => `${where}: ${words}`);
  assertEquals(claimsMade().sort(), known.sort());
});

for (const { where, words, holds } of CLAIMS) {
  Deno.test(`${where} says "${words}", and it is so`, holds);
}
