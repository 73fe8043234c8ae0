// A working folder as a code bundle: one tar.gz that is the same bytes for the same files, named by
// its sha256. Inside git what git would track goes in, elsewhere everything but the usual ballast.

import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { lstat, mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGzip } from "node:zlib";
import { WriteEntry } from "tar";
import { Fault, RefusalError, refuse } from "../base/errors.ts";
import { compareText, type Digest } from "../base/ids.ts";
import { contentOf } from "../objects/digest.ts";
import { errnoOf, localIo, messageOf } from "../objects/faults.ts";
import { forEachLimited } from "../objects/parallel.ts";

const run = promisify(execFile);

const LIMIT_BYTES_DEFAULT = 512 * 1024 * 1024;
const FILES_MAX = 100_000;
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
const LARGEST_SHOWN = 5;
/** A folder in which something writes is listed anew that often. */
const TRIES_MAX = 5;
const BALLAST: ReadonlySet<string> = new Set([".git", "node_modules", ".venv", "__pycache__"]);

export interface PackOptions {
  /** Of the files before compression. Default 512 MiB. */
  readonly limitBytes?: number;
  /** For tests: what happens to the folder before the archive is written happens here. */
  readonly write?: typeof writeArchive;
}

export interface PackedBundle {
  /** Where the tar.gz lies, in a temporary folder of its own; the caller removes it. */
  readonly path: string;
  readonly digest: Digest;
  /** Of the tar.gz. */
  readonly sizeBytes: number;
  /** Paths inside, with slashes. */
  readonly files: readonly string[];
  /** Empty outside git, and before the first commit. */
  readonly commit: string;
  readonly isDirty: boolean;
  /** Symbolic links that lead out of the folder are left out: elsewhere they lead nowhere. */
  readonly leftOut: readonly string[];
}

interface Listing {
  readonly paths: readonly string[];
  readonly commit: string;
  readonly isDirty: boolean;
}

interface PackedFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * Throws `RefusalError` when there is nothing to pack or too much, naming the largest files. Files
 * that go away or become shorter meanwhile are packed as they are a moment later, or not at all;
 * when that goes on, it is refused with the name of one.
 */
export async function packBundle(dir: string, options: PackOptions = {}): Promise<PackedBundle> {
  const { limitBytes = LIMIT_BYTES_DEFAULT, write = writeArchive } = options;
  for (let tries = 1; ; tries += 1) {
    const folder = await mkdtemp(join(tmpdir(), "trainyard-bundle-"));
    try {
      return await packOnce(dir, join(folder, "bundle.tar.gz"), limitBytes, write);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      const changed = whatChanged(dir, error);
      if (changed === null) throw error;
      if (tries === TRIES_MAX) throw keepsChanging(dir, changed);
    }
  }
}

async function packOnce(
  dir: string,
  path: string,
  limitBytes: number,
  write: typeof writeArchive,
): Promise<PackedBundle> {
  const listing = (await listByGit(dir)) ?? {
    paths: await listByWalk(dir),
    commit: "",
    isDirty: false,
  };
  const { files, leftOut } = await inspect(dir, listing.paths);
  checkSize(dir, files, limitBytes);
  const names = files.map((file) => file.path);
  await localIo("pack", dir, () => write(dir, names, path));
  const { commit, isDirty } = listing;
  return { path, ...(await contentOf(path)), files: names, commit, isDirty, leftOut };
}

export async function writeArchive(
  dir: string,
  names: readonly string[],
  path: string,
): Promise<void> {
  await pipeline(archiveOf(dir, names), createGzip({ level: 6 }), createWriteStream(path));
}

const ARCHIVE_END = Buffer.alloc(1_024);

/** One entry after the other: tar's own walk of several may end twice when one of them fails. */
async function* archiveOf(dir: string, names: readonly string[]): AsyncGenerator<Buffer> {
  const options = {
    cwd: dir,
    portable: true,
    noMtime: true,
    strict: true,
    linkCache: new ForgetfulMap<`${number}:${number}`, string>(),
  };
  for (const name of names) yield* new WriteEntry(`./${name}`, options);
  yield ARCHIVE_END;
}

/** The path of a file that was there when the folder was listed; null = something else is wrong. */
function whatChanged(dir: string, error: unknown): string | null {
  const cause = error instanceof Fault && error.code === "LOCAL_FILE" ? error.cause : null;
  const errno = errnoOf(cause);
  // `EOF` is tar's word for a file that became shorter while it was read.
  if ((errno !== "ENOENT" && errno !== "EOF") || !(cause instanceof Error)) return null;
  const path = "path" in cause ? resolve(String(cause.path)) : "";
  const root = resolve(dir);
  return path !== root && isInside(root, path) ? relative(root, path) : null;
}

function keepsChanging(dir: string, path: string): RefusalError {
  const message = `Files in ${dir} go away while they are packed, such as ${path}.`;
  const remedy = "Submit when what writes there is done, or name its output in .gitignore.";
  return new RefusalError(refuse("INVALID_SPEC", message, remedy, "workdir"));
}

/** Two hard links of one file are packed as two files: what is linked here may not be elsewhere. */
class ForgetfulMap<K, V> extends Map<K, V> {
  override get(): undefined {
    return undefined;
  }
}

/** Null outside git, and where git ignores the whole folder. */
async function listByGit(dir: string): Promise<Listing | null> {
  const inside = await git(dir, ["rev-parse", "--is-inside-work-tree"]);
  if (inside?.trim() !== "true") return null;
  const paths = await filesOfRepository(dir, "");
  if (paths.length === 0) return null;
  const head = await git(dir, ["rev-parse", "--verify", "--quiet", "HEAD"]);
  const status = await git(dir, ["status", "--porcelain", "-z", "--", "."]);
  return { paths, commit: head?.trim() ?? "", isDirty: (status ?? "") !== "" };
}

/** Submodules and repositories inside the repository are listed as folders: looked into in turn. */
async function filesOfRepository(root: string, below: string): Promise<readonly string[]> {
  const output = await git(join(root, below), ["ls-files", "-co", "--exclude-standard", "-z"]);
  const paths: string[] = [];
  for (const name of new Set((output ?? "").split("\0"))) {
    if (name === "") continue;
    const path = below === "" ? name.replace(/\/$/, "") : `${below}/${name.replace(/\/$/, "")}`;
    const stats = await lstatIfThere(join(root, path));
    if (stats?.isDirectory()) paths.push(...(await filesOfRepository(root, path)));
    else if (stats !== null) paths.push(path);
  }
  return paths;
}

/** Null when git is not installed, this is no repository, or it has no answer. */
async function git(cwd: string, args: readonly string[]): Promise<string | null> {
  try {
    const { stdout } = await run("git", args, { cwd, maxBuffer: OUTPUT_BYTES_MAX });
    return stdout;
  } catch (error) {
    const isMissing = errnoOf(error) === "ENOENT";
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    if (isMissing || said === "" || said.includes("not a git repository")) return null;
    const remedy = "Make git work there, or pack a folder outside of it.";
    throw new RefusalError(
      refuse("INVALID_SPEC", `git cannot list ${cwd}: ${said}.`, remedy, "workdir"),
    );
  }
}

async function listByWalk(dir: string): Promise<readonly string[]> {
  const paths: string[] = [];
  const pending = [""];
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    const at = below;
    const folder = join(dir, at);
    const entries = await localIo("list", folder, () => readdir(folder, { withFileTypes: true }));
    for (const entry of entries) {
      if (BALLAST.has(entry.name)) continue;
      const path = at === "" ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory()) pending.push(path);
      else if (entry.isFile() || entry.isSymbolicLink()) paths.push(path);
    }
    checkCount(dir, paths.length);
  }
  return paths;
}

async function inspect(
  dir: string,
  paths: readonly string[],
): Promise<{ readonly files: readonly PackedFile[]; readonly leftOut: readonly string[] }> {
  const files: PackedFile[] = [];
  const leftOut: string[] = [];
  await forEachLimited(paths, 16, async (path) => {
    const stats = await lstatIfThere(join(dir, path));
    if (stats === null) return;
    if (stats.isSymbolicLink() && !(await staysInside(dir, path))) leftOut.push(path);
    else if (stats.isFile() || stats.isSymbolicLink()) {
      files.push({ path, sizeBytes: stats.isFile() ? stats.size : 0 });
    }
  });
  files.sort((a, b) => compareText(a.path, b.path));
  return { files, leftOut: leftOut.sort(compareText) };
}

async function staysInside(dir: string, path: string): Promise<boolean> {
  const target = await localIo("read", path, () => readlink(join(dir, path)));
  const root = resolve(dir);
  return !target.startsWith("/") && isInside(root, resolve(root, dirname(path), target));
}

export function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

function checkSize(dir: string, files: readonly PackedFile[], limitBytes: number): void {
  if (files.length === 0) {
    const remedy = "Name the folder that holds the script, or say --no-code if it needs none.";
    const message = `There are no files to pack in ${dir}.`;
    throw new RefusalError(refuse("INVALID_SPEC", message, remedy, "workdir"));
  }
  checkCount(dir, files.length);
  const sumBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (sumBytes <= limitBytes) return;
  const largest = [...files]
    .sort((a, b) => b.sizeBytes - a.sizeBytes || compareText(a.path, b.path))
    .slice(0, LARGEST_SHOWN)
    .map(({ path, sizeBytes }) => `${path} (${mib(sizeBytes)})`)
    .join(", ");
  const sizes = `${mib(sumBytes)}, more than ${mib(limitBytes)}`;
  const message = `The code in ${dir} is ${sizes}; largest: ${largest}.`;
  const remedy = "Keep data out of the folder, or name it in .gitignore.";
  throw new RefusalError(refuse("TOO_LARGE", message, remedy, "workdir"));
}

function checkCount(dir: string, count: number): void {
  if (count <= FILES_MAX) return;
  const message = `The code in ${dir} is more than ${FILES_MAX} files.`;
  const remedy = "Keep data out of the folder, or name it in .gitignore.";
  throw new RefusalError(refuse("TOO_LARGE", message, remedy, "workdir"));
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

async function lstatIfThere(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw new RefusalError(
      refuse("INVALID_SPEC", messageOf(error), "Make it readable.", "workdir"),
    );
  }
}
