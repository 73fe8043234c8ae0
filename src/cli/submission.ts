// Makes a submission of a command line: reads the job file, packs the code, checks that the
// script is in it, and hands the job in. Used by `submit` and `run`.

import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, isAbsolute, resolve } from "node:path";
import { RefusalError, refuse } from "../base/errors.ts";
import { nearest } from "../config/suggest.ts";
import type { YamlFile } from "../config/yaml-file.ts";
import { readYamlFile } from "../config/yaml-file.ts";
import type { JobSpec } from "../rpc/gen/trainyard/v1/JobSpec.ts";
import type { PutBundleRequest } from "../rpc/gen/trainyard/v1/PutBundleRequest.ts";
import type { Cluster } from "./cluster.ts";
import type { Invocation } from "./command.ts";
import { hasReason, usageError } from "./failure.ts";
import type { PackedBundle } from "./ports.ts";
import type { Override } from "./spec/overrides.ts";
import type { ResolvedSpec } from "./spec/resolve.ts";
import { resolveSpec } from "./spec/resolve.ts";
import { wireSpec } from "./spec/to-wire.ts";
import type { SUBMIT_FLAGS } from "./submit-flags.ts";
import { flagOverrides } from "./submit-flags.ts";

export type SubmitCall = Pick<
  Invocation<typeof SUBMIT_FLAGS>,
  "operands" | "rest" | "flags" | "io" | "ports" | "print" | "client" | "cluster"
>;

export interface Submission {
  readonly resolved: ResolvedSpec;
  readonly spec: JobSpec;
  readonly bundle: PackedBundle | null;
}

/** Hands the submission to `use`, and removes the packed code afterwards. */
export async function withSubmission<T>(
  call: SubmitCall,
  use: (submission: Submission) => Promise<T>,
): Promise<T> {
  const resolved = await resolveCall(call);
  const bundle =
    resolved.workdir === null
      ? null
      : await call.ports.packBundle(resolve(call.io.host.cwd, resolved.workdir));
  try {
    if (bundle !== null) {
      checkScript(resolved, bundle, call.io.host.cwd);
      for (const link of bundle.leftOut) {
        call.print.note(`${link} stays behind: it is a link that leads out of the folder.`);
      }
    }
    return await use({ resolved, spec: wireSpec(resolved, bundle), bundle });
  } finally {
    if (bundle !== null) await rm(dirname(bundle.path), { recursive: true, force: true });
  }
}

async function resolveCall(call: SubmitCall): Promise<ResolvedSpec> {
  const source = await readSource(call);
  const overrides = [...(await flagOverrides(call.flags, call.io.host)), ...source.overrides];
  return resolveSpec({
    file: source.file,
    overrides,
    nameSource: source.nameSource,
    defaultQueue: call.client.project ?? "",
  });
}

interface Source {
  readonly file: YamlFile | null;
  readonly overrides: readonly Override[];
  readonly nameSource: string;
}

/** A job file, a script, or a command after `--`. */
async function readSource({ operands, rest, io }: SubmitCall): Promise<Source> {
  const [target] = operands;
  if (target === undefined) return commandSource(rest);
  if (/\.ya?ml$/.test(target)) {
    const path = resolve(io.host.cwd, target);
    const file = await readYamlFile(path, { file: target, code: "INVALID_SPEC" });
    const args = { path: ["torchrun", "args"], value: [...rest], where: "arguments after --" };
    return { file, overrides: rest.length > 0 ? [args] : [], nameSource: target };
  }
  if (target.endsWith(".py")) {
    const overrides = Object.entries({ script: target, args: [...rest] }).map(([key, value]) => ({
      path: ["torchrun", key],
      value,
      where: target,
    }));
    return { file: null, overrides, nameSource: target };
  }
  if (/\.(sh|bash)$/.test(target)) {
    const run = { path: ["run"], value: ["bash", target, ...rest], where: target };
    return { file: null, overrides: [run], nameSource: target };
  }
  throw usageError(
    `${JSON.stringify(target)} is neither a job file (.yaml) nor a script (.py, .sh).`,
    "Put any other command after `--`: `trainyard submit --gpus 1 -- ./program args`.",
    "target",
  );
}

function commandSource(rest: readonly string[]): Source {
  const [program] = rest;
  if (program === undefined) {
    throw usageError(
      "Nothing to submit.",
      "Name a job file or a script, or put a command after `--`; `trainyard submit --help` has examples.",
      "target",
    );
  }
  const run = { path: ["run"], value: [...rest], where: "command after --" };
  return { file: null, overrides: [run], nameSource: program };
}

/** Better here than minutes later on a node. Absolute paths are the nodes' own affair. */
function checkScript(spec: ResolvedSpec, bundle: PackedBundle, cwd: string): void {
  const { command, workdir } = spec;
  if (command.kind !== "torchrun" || isAbsolute(command.script)) return;
  if (bundle.files.includes(command.script)) return;
  const near = nearest(command.script, bundle.files);
  const hint = near === null ? "" : ` Did you mean ${near}?`;
  throw new RefusalError(
    refuse(
      "INVALID_SPEC",
      `${command.script} is not among the ${bundle.files.length} files packed from ` +
        `${resolve(cwd, workdir ?? ".")}.${hint}`,
      "Check the path, and that git does not ignore the file; `--workdir` names another folder.",
      "torchrun.script",
    ),
  );
}

export interface Submitted {
  readonly jobId: string;
  readonly isRepeat: boolean;
}

/** Sends the code only when the cluster does not have it: most submits of a day share theirs. */
export async function handIn(
  cluster: Cluster,
  submission: Submission,
  requestId: string,
): Promise<Submitted> {
  const request = { requestId, spec: submission.spec };
  const { bundle } = submission;
  try {
    return await cluster.submitJob(request);
  } catch (error) {
    if (bundle === null || !hasReason(error, "BUNDLE_NOT_FOUND")) throw error;
    await cluster.putBundle(bundleMessages(bundle));
    return cluster.submitJob(request);
  }
}

const CHUNK_BYTES = 256 * 1024;

async function* bundleMessages(bundle: PackedBundle): AsyncGenerator<PutBundleRequest> {
  yield { digest: bundle.digest, sizeBytes: bundle.sizeBytes, data: Buffer.alloc(0) };
  for await (const chunk of createReadStream(bundle.path, { highWaterMark: CHUNK_BYTES })) {
    yield { data: decodeChunk(chunk) };
  }
}

/** Without an encoding a file stream gives buffers. */
function decodeChunk(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}
