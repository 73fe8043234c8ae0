// `trainyard queue shares`: what is due to each queue beside what it has, as bars.

import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import type { Printer } from "../terminal/print.ts";
import { displayWidth, padEnd, printable, truncate } from "../terminal/width.ts";
import type { QueueView } from "../views/queue-view.ts";
import { depthOf, queueView } from "../views/queue-view.ts";

export const queueShares = defineCommand({
  name: "shares",
  summary: "Compare what is due to each queue with what it has",
  details: `█ is what a queue has, ░ what is due to it besides, and | its guarantee. DUE is its
guarantee and its weighted part of the rest, as far as it asks for it; DEMAND what it has and asks
for; all in GPUs. SHARE is the largest part of the cluster's GPUs, CPUs or memory that it has, ERROR
that less what is due of it, USED its GPU hours, of which older ones count less, and ACCOUNT, with
\`share_window\`, the GPU hours that it is still owed, or has had too many.`,
  operands: [],
  flags: {},
  examples: [
    { command: "trainyard queue shares", says: "who has more or less than is due" },
    {
      command:
        "trainyard queue shares --json | jq '.items[] | select(.fairShareGpus > .allocatedGpus)'",
      says: "queues that wait for their share",
    },
  ],
  run: async ({ cluster, print }) => {
    const { queues } = await (await cluster()).listQueues({});
    const items = queues.map(queueView);
    if (print.format === "table" || print.format === "wide") {
      if (items.length === 0) print.note("No queues.");
      else print.text(bars(items, print));
      return EXIT.ok;
    }
    print.list({
      kind: "QueueList",
      items,
      columns: () => [],
      nameOf: (queue) => queue.path,
      whenEmpty: "No queues.",
    });
    return EXIT.ok;
  },
});

const BAR_MAX = 40;
const BAR_MIN = 10;

function bars(queues: readonly QueueView[], print: Printer): string {
  const names = queues.map((queue) => {
    const name = queue.path.split("/").at(-1) ?? "";
    return printable(`${"  ".repeat(depthOf(queue))}${name}`);
  });
  const least = Math.min(8, Math.max(...names.map(displayWidth))) + BAR_MIN + 2;
  const numbers = numberColumns(queues, Math.min(print.width, 120) - least);
  const numbersWidth = displayWidth(numbers[0] ?? "");
  const room = Math.min(print.width, 120) - numbersWidth - 4;
  const nameWidth = Math.min(Math.max(...names.map(displayWidth)), Math.max(8, room - BAR_MIN));
  const barWidth = Math.max(BAR_MIN, Math.min(BAR_MAX, room - nameWidth));
  const scale = Math.max(
    1,
    ...queues.flatMap((q) => [q.allocatedGpus, q.fairShareGpus, q.guarantee]),
  );
  const lines = queues.map((queue, index) => {
    const name = padEnd(truncate(names[index] ?? "", nameWidth), nameWidth);
    return `${name}  ${bar(queue, barWidth, scale, print)}  ${numbers[index + 1] ?? ""}`;
  });
  const title = `${padEnd(truncate("QUEUE", nameWidth), nameWidth + barWidth + 4)}${numbers[0]}`;
  return `${[print.style.dim(title), ...lines].join("\n")}\n`;
}

const percent = (part: number): string => `${(100 * part).toFixed(1)}%`;

/** Left out where shares hold at each moment. */
const ACCOUNT = "ACCOUNT";

/** The last ones are left out first where there is no room. */
const NUMBERS: readonly { title: string; text: (queue: QueueView) => string }[] = [
  { title: "HELD", text: (queue) => `${queue.allocatedGpus}` },
  { title: "DUE", text: (queue) => queue.fairShareGpus.toFixed(1) },
  {
    title: "ERROR",
    text: ({ heldShare, dueShare }) =>
      `${heldShare > dueShare ? "+" : ""}${percent(heldShare - dueShare)}`,
  },
  { title: "SHARE", text: (queue) => `${percent(queue.heldShare)} ${queue.heldResource}` },
  { title: "DEMAND", text: (queue) => `${Math.round(10 * queue.demandGpus) / 10}` },
  { title: "USED", text: (queue) => `${queue.usageGpuHours.toFixed(1)}h` },
  {
    title: ACCOUNT,
    text: ({ accountGpuHours }) =>
      accountGpuHours === 0
        ? "-"
        : `${accountGpuHours > 0 ? "+" : ""}${accountGpuHours.toFixed(1)}h`,
  },
];

/** The titles, then a line for each queue, all of one width: as many columns as fit. */
function numberColumns(queues: readonly QueueView[], widthMax: number): readonly string[] {
  const lines = ["", ...queues.map(() => "")];
  for (const { title, text } of NUMBERS) {
    if (title === ACCOUNT && queues.every(({ accountGpuHours }) => accountGpuHours === 0)) continue;
    const cells = [title, ...queues.map(text)];
    const width = Math.max(...cells.map((cell) => cell.length));
    if (displayWidth(lines[0] ?? "") + width + 2 > widthMax) break;
    cells.forEach((cell, at) => {
      const before = lines[at] ?? "";
      lines[at] = `${before}${before === "" ? "" : "  "}${cell.padStart(width)}`;
    });
  }
  return lines;
}

function bar(queue: QueueView, width: number, scale: number, { style }: Printer): string {
  const cells = (gpus: number): number => Math.round((gpus / scale) * width);
  const has = cells(queue.allocatedGpus);
  const due = cells(queue.fairShareGpus);
  const guarantee = Math.min(width, cells(queue.guarantee)) - 1;
  const paint = queue.allocatedGpus > queue.fairShareGpus + 0.5 ? style.warn : style.good;
  let text = "";
  for (let cell = 0; cell < width; cell++) {
    if (cell === guarantee && queue.guarantee > 0) text += style.bold("|");
    else if (cell < has) text += paint("█");
    else text += cell < due ? style.dim("░") : " ";
  }
  return text;
}
