// The columns of a table of jobs.

import type { Style } from "../terminal/style.ts";
import type { Column } from "../terminal/table.ts";
import { roughDuration } from "../wire.ts";
import type { JobView } from "./job-view.ts";
import { gpusText, phaseAgeMs, situation } from "./job-view.ts";

/** `train`; of an array, `train[7]`. */
export const nameText = ({ name, array }: JobView): string =>
  array === null ? name : `${name}[${array.index}]`;

export function jobColumns(style: Style, nowMs: number): readonly Column<JobView>[] {
  return [
    { title: "JOB", cell: (job) => job.id, paint: (text) => style.bold(text) },
    { title: "NAME", cell: nameText, shrinkTo: 12 },
    { title: "ARRAY", cell: (job) => job.array?.id ?? "-", isWide: true },
    { title: "QUEUE", cell: (job) => job.queue, shrinkTo: 10, keepsEnd: true, dropRank: 2 },
    { title: "USER", cell: (job) => job.user, shrinkTo: 6, dropRank: 3 },
    { title: "TENANT", cell: (job) => job.tenant, isWide: true },
    { title: "PRIORITY", cell: (job) => job.priority, isWide: true },
    { title: "GPUS", cell: gpusText, isRight: true },
    { title: "PHASE", cell: (job) => job.phase, paint: (text) => style.phase(text) },
    {
      title: "TIME",
      cell: (job) => roughDuration(phaseAgeMs(job, nowMs)),
      isRight: true,
    },
    { title: "TRY", cell: (job) => String(job.attempts.length), isRight: true, dropRank: 4 },
    {
      title: "STEP",
      cell: (job) => (job.checkpoint === null ? "-" : String(job.checkpoint.step)),
      isRight: true,
      isWide: true,
    },
    { title: "WHERE / WHY", cell: situation, shrinkTo: 24, dropRank: 1, paint: style.dim },
  ];
}
