// `npm run build`: makes dist/ from src/. The program and the packages that a command line needs are
// bundled, since finding and reading some 300 small files is what `trainyard ps` would mostly wait
// for. Code stays as readable as it was: nothing is renamed or squeezed, and source maps lie beside.

import { chmod, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import * as esbuild from "esbuild";
import { readProtoRoot } from "../src/rpc/proto-root.ts";

const ROOT = resolve(import.meta.dirname, "..");
const SOURCE = join(ROOT, "src");
const DIST = join(ROOT, "dist");

/**
 * What is started as a program of its own; keeps its place below dist/. Only code that dist/main.js
 * shares may ask for its own place: see `ownPlaces`.
 */
const ENTRIES = ["main.ts", "wire-up-agent.ts", "agent/supervisor.ts", "objects/digest-worker.ts"];

/** Left in node_modules: native parts, worker threads, or large and seldom needed. */
const EXTERNAL = ["lmdb", "pino", "@aws-sdk/client-s3"];

/** Packages that are CommonJS call `require` for Node's own modules. */
const REQUIRE =
  'import { createRequire as createRequireHere } from "node:module";\n' +
  "const require = createRequireHere(import.meta.url);";

/** Builds beside the old dist/ and swaps them, so that nobody ever finds half of one. */
export async function buildDist(): Promise<void> {
  const fresh = join(ROOT, "dist.new");
  await rm(fresh, { recursive: true, force: true });
  await esbuild.build({
    entryPoints: ENTRIES.map((entry) => join(SOURCE, entry)),
    outdir: fresh,
    outbase: SOURCE,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: true,
    sourcesContent: false,
    external: EXTERNAL,
    banner: { js: REQUIRE },
    plugins: [protoFilesRead, seldomNeeded, ownPlaces],
    logLevel: "warning",
  });
  await chmod(join(fresh, "main.js"), 0o755);
  await rm(DIST, { recursive: true, force: true });
  await rename(fresh, DIST);
}

/**
 * A package that is imported only when it is needed stays in node_modules: bundled, one that is
 * CommonJS would lose its named exports.
 */
const seldomNeeded: esbuild.Plugin = {
  name: "seldom needed",
  setup: (build) => {
    build.onResolve({ filter: /^[^./]/ }, ({ kind, path }) =>
      kind === "dynamic-import" ? { path, external: true } : null,
    );
  },
};

/** The proto files are read now, instead of at every start. */
const protoFilesRead: esbuild.Plugin = {
  name: "proto files read",
  setup: (build) => {
    build.onLoad({ filter: /\/src\/rpc\/proto-root\.ts$/ }, ({ path }) => ({
      contents: `
        import protobuf from "protobufjs/light.js";
        const json = ${JSON.stringify(JSON.stringify(readProtoRoot().toJSON()))};
        export const readProtoRoot = () => protobuf.Root.fromJSON(JSON.parse(json));`,
      resolveDir: dirname(path),
      loader: "js",
    }));
  },
};

/**
 * A module keeps the place that it believes in: `import.meta.url` of src/rpc/loader.ts is that of
 * dist/rpc/loader.js, whichever file of dist/ its code ended in, and a package's `__dirname` is its own.
 */
const ownPlaces: esbuild.Plugin = {
  name: "own places",
  setup: (build) => {
    build.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const place = relative(SOURCE, path).replace(/\.ts$/, ".js");
      const url = `new URL(${JSON.stringify(`./${place}`)}, import.meta.url).href`;
      return { contents: text.replaceAll("import.meta.url", url), loader: "ts" };
    });
    build.onLoad({ filter: /\/node_modules\/.*\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      if (!text.includes("__dirname")) return null;
      const module = path.slice(path.lastIndexOf("/node_modules/") + "/node_modules/".length);
      const folder = `require("node:path").dirname(require.resolve(${JSON.stringify(module)}))`;
      return { contents: text.replaceAll("__dirname", folder), loader: "js" };
    });
  },
};
