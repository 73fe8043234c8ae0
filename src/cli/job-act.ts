// Doing one thing to several jobs, each on its own: cancel, hold, release.

import type { OptionTable } from "../config/option.ts";
import type { Invocation } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { type Failure, toFailure } from "./failure.ts";
import { jobReference } from "./job-reference.ts";
import type { Cluster } from "./cluster.ts";
import type { Column } from "./terminal/table.ts";

interface Outcome {
  readonly job: string;
  readonly result: string;
  readonly error: Failure | null;
}

export interface JobAct {
  /** Kind of the list that is printed. */
  readonly kind: string;
  /** `cancelled`. */
  readonly done: string;
  readonly act: (cluster: Cluster, job: string) => Promise<{ readonly jobId: string }>;
}

type Call = Pick<Invocation<OptionTable>, "operands" | "cluster" | "client" | "print">;

/** Exit code of the first one that failed. */
export async function actOnJobs(
  { operands, cluster, client, print }: Call,
  { kind, done, act }: JobAct,
): Promise<number> {
  const scheduler = await cluster();
  const outcomes: Outcome[] = [];
  for (const word of operands) {
    try {
      const job = await jobReference(word, scheduler, client);
      const { jobId } = await act(scheduler, job);
      outcomes.push({ job: jobId, result: done, error: null });
    } catch (error) {
      // One job alone fails as any other command does.
      if (operands.length === 1) throw error;
      outcomes.push({ job: word, result: "failed", error: toFailure(error) });
    }
  }
  print.list({
    kind,
    items: outcomes,
    columns: () => COLUMNS,
    nameOf: (outcome) => outcome.job,
    whenEmpty: "",
  });
  return outcomes.find(({ error }) => error !== null)?.error?.exitCode ?? EXIT.ok;
}

const COLUMNS: readonly Column<Outcome>[] = [
  { title: "JOB", cell: (outcome) => outcome.job },
  {
    title: "RESULT",
    cell: (outcome) => outcome.error?.message ?? outcome.result,
    shrinkTo: 20,
    isWrapped: true,
  },
];
