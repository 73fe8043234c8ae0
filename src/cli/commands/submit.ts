// `trainyard submit`: hands a job in and returns at once.

import { flag } from "../../config/kinds.ts";
import { option } from "../../config/option.ts";
import { formatDuration, formatMemoryMib } from "../../config/words.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { isTransient, toFailure } from "../failure.ts";
import type { ResolvedSpec } from "../spec/resolve.ts";
import type { Submission } from "../submission.ts";
import { handIn, type SubmitCall, withSubmission } from "../submission.ts";
import { SUBMIT_FLAGS } from "../submit-flags.ts";
import { type PreviewView, previewView, sentencesText } from "../views/explanation-view.ts";
import { counted, isoTime, roughBytes } from "../wire.ts";

type DryRunCall = Pick<SubmitCall, "print" | "cluster">;

export const submit = defineCommand({
  name: "submit",
  summary: "Hand in a job and return at once",
  details: `A job is a job file (.yaml), a training script (.py, started by torchrun on each node),
a shell script (.sh), or a command after \`--\`. The current folder travels with it:
what git tracks, and what it does not ignore. Flags beat --set, and --set beats the
file.`,
  operands: [
    { name: "target", help: "Job file or script.", isRequired: false, completion: "file" },
  ],
  rest: "args...",
  flags: {
    ...SUBMIT_FLAGS,
    dryRun: option(flag(), {
      name: "dry-run",
      short: "n",
      help: "Print the job, when it would start and who would leave for it; hand nothing in.",
      fallback: false,
    }),
  },
  examples: [
    {
      command: "trainyard submit train.py --gpus 2 --nodes 2 -- --lr 3e-4",
      says: "2 nodes with 2 GPUs each; what follows -- goes to the script",
    },
    { command: "trainyard submit job.yaml", says: "from a job file (`trainyard init` writes one)" },
    { command: "trainyard submit job.yaml --gpus H100:8", says: "the file, with another size" },
    { command: "trainyard submit job.yaml --set checkpoint.keep=5", says: "any field of the file" },
    { command: "trainyard submit --name prep -- python prep.py", says: "any command, on one node" },
    {
      command: "trainyard submit job.yaml --dry-run",
      says: "what would be handed in, and what would become of it",
    },
    { command: "trainyard submit job.yaml --array 0-99%10", says: "100 jobs, 10 at a time" },
    { command: "trainyard submit eval.py --after @last:ok", says: "once my newest has succeeded" },
    {
      command: "id=$(trainyard submit job.yaml -o name)",
      says: "the id alone, for a script",
    },
  ],
  run: (call) =>
    withSubmission(call, async (submission) => {
      const { print, flags, io } = call;
      if (flags.dryRun) return dryRun(submission, call);
      const requestId = flags.idempotencyKey ?? io.newId();
      const { jobId, isRepeat } = await handIn(await call.cluster(), submission, requestId);
      print.one({
        kind: "Submitted",
        name: jobId,
        value: { jobId, name: submission.resolved.name, isRepeat },
        text: () => `${jobId}\n`,
      });
      if (print.isTerminal && !print.isJson) {
        const again = isRepeat ? " was handed in before" : "";
        print.note(
          `${submission.resolved.name}${again}: \`trainyard logs -f ${jobId}\` follows it.`,
        );
      }
      return EXIT.ok;
    }),
});

/** The job, and what would become of it if a scheduler can be asked. */
async function dryRun(submission: Submission, call: DryRunCall): Promise<number> {
  const { print } = call;
  const preview = await previewOf(submission, call);
  const { resolved, spec, bundle } = submission;
  print.one({
    kind: "JobSpec",
    name: resolved.name,
    value: { spec, files: bundle?.files ?? [], preview },
    text: () => {
      const told = preview === null ? [] : ["", ...sentencesText(preview, print)];
      return `${[describe(submission).trimEnd(), ...told].join("\n")}\n`;
    },
  });
  return EXIT.ok;
}

/** Null when no scheduler answers: the file can be checked without one. */
async function previewOf(
  { spec }: Submission,
  { cluster, print }: DryRunCall,
): Promise<PreviewView | null> {
  try {
    return previewView(await (await cluster()).previewJob({ spec }));
  } catch (error) {
    if (!isTransient(error)) throw error;
    const { message } = toFailure(error);
    print.note(`What would become of it is not known: ${message}`);
    return null;
  }
}

function describe({ resolved, bundle }: Submission): string {
  const facts = specFacts(resolved);
  if (bundle !== null) {
    const dirty = bundle.isDirty ? " with uncommitted changes" : "";
    const commit = bundle.commit === "" ? "" : `, commit ${bundle.commit.slice(0, 12)}${dirty}`;
    const size = `${counted(bundle.files.length, "file")}, ${roughBytes(bundle.sizeBytes)}`;
    facts.push(["code", `${size}${commit}`]);
  }
  return `${facts.map(([title, value]) => `${title.padEnd(12)}${value}`).join("\n")}\n`;
}

function specFacts(spec: ResolvedSpec): [string, string][] {
  const { command } = spec;
  const model = spec.gpuTypes.length === 0 ? "" : `${spec.gpuTypes.join(" or ")} `;
  const each = [
    spec.gpus === 0 ? "no GPUs" : counted(spec.gpus, `${model}GPU`),
    ...(spec.cpuMilli > 0 ? [`${spec.cpuMilli / 1000} cores`] : []),
    ...(spec.memoryMib > 0 ? [formatMemoryMib(spec.memoryMib)] : []),
  ];
  const words =
    command.kind === "exec" ? command.argv : ["torchrun", command.script, ...command.args];
  const facts: [string, string][] = [
    ["name", spec.name],
    ["queue", spec.queue === "" ? "default" : spec.queue],
    ["priority", spec.priorityClass === "" ? "normal" : spec.priorityClass],
    ["asks for", `${nodesText(spec)} with ${each.join(", ")}${spec.nodes > 1 ? " each" : ""}`],
    ["command", words.map(shellQuoted).join(" ")],
  ];
  if (spec.topology !== null) {
    facts.push(["topology", `one ${spec.topology.level}, ${spec.topology.mode}`]);
  }
  if (spec.spot !== "") facts.push(["spot nodes", spec.spot]);
  if (spec.setup !== "") facts.push(["setup", spec.setup]);
  if (spec.array !== null) {
    const most = spec.array.parallel === 0 ? "" : `, at most ${spec.array.parallel} at once`;
    facts.push(["array", `${spec.array.indexes}${most}`]);
  }
  for (const { job, on } of spec.after) facts.push(["after", `${job}:${on}`]);
  if (spec.begin !== null) facts.push(["not before", whenText(spec.begin)]);
  if (spec.deadline !== null) facts.push(["deadline", whenText(spec.deadline)]);
  if (spec.isHeld) facts.push(["held", "until it is released"]);
  if (spec.timeLimitMs !== null) facts.push(["time limit", formatDuration(spec.timeLimitMs)]);
  if (spec.graceMs !== null) facts.push(["grace", formatDuration(spec.graceMs)]);
  for (const [key, value] of Object.entries(spec.env)) facts.push(["env", `${key}=${value}`]);
  return facts;
}

function whenText(wish: NonNullable<ResolvedSpec["begin"]>): string {
  return wish.kind === "at" ? (isoTime(wish.atMs) ?? "") : `in ${formatDuration(wish.delayMs)}`;
}

function shellQuoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** `2 nodes`, `2 to 4 nodes`. */
function nodesText({ nodes, nodesMin }: ResolvedSpec): string {
  const text = counted(nodes, "node");
  return nodesMin === nodes ? text : `${nodesMin} to ${text}`;
}
