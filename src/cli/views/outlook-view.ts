// What a change that was only tried would bring about, as the command line shows it.

import type { Outlook__Output } from "../../rpc/gen/trainyard/v1/Outlook.ts";
import { printable } from "../terminal/width.ts";
import { counted } from "../wire.ts";

export interface OutlookView {
  readonly preemptions: readonly {
    readonly job: string;
    readonly queue: string;
    /** null for a drain. */
    readonly preemptor: string | null;
    readonly kind: string;
    readonly why: string;
  }[];
  /** Jobs that the next planning pass would start. */
  readonly starts: number;
  readonly stranded: readonly {
    readonly queue: string;
    readonly count: number;
    readonly jobs: readonly string[];
  }[];
}

export function outlookView(outlook: Outlook__Output | null): OutlookView {
  return {
    preemptions: (outlook?.preemptions ?? []).map(({ preemptor, ...rest }) => {
      return { ...rest, preemptor: preemptor === "" ? null : preemptor };
    }),
    starts: outlook?.starts ?? 0,
    stranded: outlook?.stranded ?? [],
  };
}

/** One sentence a line, the worst first. */
export function outlookText({ preemptions, starts, stranded }: OutlookView): string {
  const lines = stranded.map(({ queue, count, jobs }) => {
    const more = count > jobs.length ? ` and ${count - jobs.length} more` : "";
    return `${counted(count, "job")} of ${queue} could never start: ${jobs.join(", ")}${more}.`;
  });
  for (const { job, queue, kind, why } of preemptions) {
    lines.push(`${job} of ${queue} would be preempted (${kind}): ${printable(why)}`);
  }
  if (preemptions.length === 0) lines.push("Nobody would be preempted right after.");
  if (starts > 0) lines.push(`${counted(starts, "waiting job")} would start.`);
  return `${lines.join("\n")}\n`;
}
