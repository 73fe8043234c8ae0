// `trainyard init`: writes a commented job file to start from.

import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { RefusalError, refuse } from "../../base/errors.ts";
import { flag } from "../../config/kinds.ts";
import { option } from "../../config/option.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { packageUrl } from "../version.ts";

export const init = defineCommand({
  name: "init",
  summary: "Write a commented job file to start from",
  operands: [
    {
      name: "file",
      help: "Where to; job.yaml when left out.",
      isRequired: false,
      completion: "file",
    },
  ],
  flags: {
    force: option(flag(), {
      name: "force",
      help: "Write over a file that exists.",
      fallback: false,
    }),
  },
  examples: [
    { command: "trainyard init", says: "writes job.yaml" },
    {
      command: "trainyard init big.yaml && trainyard submit big.yaml --dry-run",
      says: "and check it",
    },
  ],
  run: async ({ operands, flags, print, io }) => {
    const file = operands[0] ?? "job.yaml";
    const path = resolve(io.host.cwd, file);
    try {
      await writeFile(path, jobTemplate(), { flag: flags.force ? "w" : "wx" });
    } catch (error) {
      throw writeFailure(file, error);
    }
    print.one({
      kind: "FileWritten",
      name: file,
      value: { file: path },
      text: () => `${file} written. Check it with \`trainyard submit ${file} --dry-run\`.\n`,
    });
    return EXIT.ok;
  },
});

function writeFailure(file: string, error: unknown): RefusalError {
  const code = error instanceof Error && "code" in error ? error.code : "";
  if (code === "EEXIST") {
    const remedy = "Name another file, or write over it with --force.";
    return new RefusalError(refuse("INVALID_OPTION", `${file} exists.`, remedy, "file"));
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new RefusalError(
    refuse("INVALID_OPTION", `${file} can't be written: ${reason}`, "Name another file.", "file"),
  );
}

/** Exported for the test that keeps it valid. */
export function jobTemplate(): string {
  return `# yaml-language-server: $schema=${fileURLToPath(packageUrl("schemas/job.schema.json"))}
# A Trainyard job. Submit it with \`trainyard submit job.yaml\`; flags beat what stands here.

name: train                  # need not be unique; \`@last\` is your newest job
# queue: research/nlp        # full path of a leaf queue; left out: default
# priority: normal           # low, normal, high, or what the operator defined

nodes: 1                     # placed together or not at all
resources:                   # of each node
  gpus: 1                    # or a model and a count: H100:8
  # cpus: 8
  # memory: 64GB

# workdir: .                 # this folder's code travels with the job: what git does not ignore
# setup: pip install -r requirements.txt   # once a node, before the command

torchrun:                    # one torchrun on each node, one worker for each GPU
  script: train.py
  args: [--epochs, "3"]
  # procs_per_node: 2
# run: python train.py       # instead of torchrun: any shell text, on each node

# env:
#   OMP_NUM_THREADS: "4"

# time_limit: 12h            # of one attempt; 30m, 1h30m, 1-12:00:00
# grace: 2m                  # for a last checkpoint when preempted
# signal: SIGTERM            # what tells the workers to save and end
# restarts: 2                # after own failures; preemptions and lost nodes are free

# checkpoint:                # write to $TRAINYARD_CHECKPOINT_DIR; it is found and kept safe
#   keep: 3
`;
}
