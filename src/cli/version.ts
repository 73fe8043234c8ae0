// The version of this package, from its package.json.

import { readFileSync } from "node:fs";

/** Root of the package: two levels up from `src/cli` and from `dist/cli` alike. */
const PACKAGE_ROOT = new URL("../../", import.meta.url);

export function packageUrl(path: string): URL {
  return new URL(path, PACKAGE_ROOT);
}

export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(packageUrl("package.json"), "utf8"));
  const isManifest = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return isManifest && typeof manifest.version === "string" ? manifest.version : "unknown";
}
