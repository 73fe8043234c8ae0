// Makes the types in gen/ from the proto files, with the options that the wire is read with. Run by
// the developer's `gen` task and by loader.test.ts; no daemon calls it.

import { execFile } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { LOADER_OPTIONS, PROTO_FILES, PROTO_FOLDER } from "./proto-files.ts";

/** Writes the generated types into `outDir`, replacing what is there. Throws what the tool says. */
export async function regenerate(outDir: string): Promise<void> {
  const manifest = createRequire(import.meta.url).resolve("@grpc/proto-loader/package.json");
  const tool = join(dirname(manifest), "build/bin/proto-loader-gen-types.js");
  const options = [
    `--longs=${LOADER_OPTIONS.longs.name}`,
    `--enums=${LOADER_OPTIONS.enums.name}`,
    ...(LOADER_OPTIONS.defaults ? ["--defaults"] : []),
    ...(LOADER_OPTIONS.oneofs ? ["--oneofs"] : []),
    "--grpcLib=@grpc/grpc-js",
    "--importFileExtension=.ts",
    `--includeDirs=${basename(PROTO_FOLDER)}`,
    `--outDir=${resolve(outDir)}`,
  ];
  // Relative to the folder above, since the tool writes the path it was given into each file.
  const cwd = dirname(PROTO_FOLDER);
  await rm(outDir, { recursive: true, force: true });
  await promisify(execFile)(process.execPath, [tool, ...options, "--", ...PROTO_FILES], { cwd });
  // The tool also writes one file of constructors for each proto file; loader.ts needs none.
  const made = await readdir(outDir, { withFileTypes: true });
  for (const entry of made) if (entry.isFile()) await rm(join(outDir, entry.name));
}
