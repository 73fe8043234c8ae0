// `trainyard attach JOB`: a terminal in the environment of a running task.

import { integer } from "../../config/kinds.ts";
import { option } from "../../config/option.ts";
import type { AttachStream } from "../cluster.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import type { Io } from "../io.ts";
import { writeSlowly } from "../io.ts";
import { jobReference } from "../job-reference.ts";

/** Ctrl-]: leaves the terminal without ending anything, as telnet has it. */
const DETACH = 0x1d;

export const attach = defineCommand({
  name: "attach",
  summary: "Open a terminal inside a running job",
  details: `Opens a shell beside the task, in its folder and with its environment and GPUs. Ctrl-]
detaches. The exit code is the shell's.`,
  operands: [{ name: "job", help: "Id, name or @last.", isRequired: true, completion: "job" }],
  rest: "command...",
  flags: {
    rank: option(integer({ min: 0, max: 4095 }), {
      name: "rank",
      short: "r",
      help: "Which node of the gang.",
      fallback: 0,
    }),
  },
  examples: [
    { command: "trainyard attach job-42", says: "a shell on its first node" },
    {
      command: "trainyard attach job-42 --rank 1 -- nvidia-smi",
      says: "one command on its second",
    },
    { command: "trainyard attach job-42 -- py-spy dump --pid 1234", says: "look into a process" },
  ],
  run: async ({ operands, rest, flags, cluster, client, io }) => {
    const scheduler = await cluster();
    const job = await jobReference(operands[0] ?? "", scheduler, client);
    const stop = new AbortController();
    const stream = scheduler.attachJob(AbortSignal.any([io.signal, stop.signal]));
    const open = { job, rank: flags.rank, size: terminalSize(io), argv: [...rest] };
    await stream.send({ open });
    const release = connectTerminal(io, stream, stop);
    try {
      for await (const reply of stream.replies) {
        if (reply.output !== undefined) await writeSlowly(io.stdout, reply.output);
        if (reply.exitCode !== undefined) return reply.exitCode;
      }
      return EXIT.ok;
    } catch (error) {
      if (stop.signal.aborted) return EXIT.ok;
      throw error;
    } finally {
      release();
      stop.abort();
    }
  },
});

function terminalSize({ stdout }: Io): { columns: number; rows: number } {
  return { columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 };
}

/** Keys go out, changes of size too. Returns what puts the terminal back as it was. */
function connectTerminal(io: Io, stream: AttachStream, stop: AbortController): () => void {
  const { stdin, stdout } = io;
  const isTerminal = stdin.isTTY === true;
  const onData = (data: Buffer): void => {
    if (isTerminal && data.includes(DETACH)) return stop.abort();
    // No faster than the other side reads. A failed call is reported by the loop over its replies.
    stdin.pause();
    stream.send({ input: data }).then(
      () => stdin.resume(),
      () => stop.abort(),
    );
  };
  const onEnd = (): void => stream.end();
  const onResize = (): void => {
    stream.send({ resize: terminalSize(io) }).catch(() => stop.abort());
  };
  if (isTerminal) stdin.setRawMode?.(true);
  stdin.on("data", onData);
  stdin.on("end", onEnd);
  stdout.on("resize", onResize);
  stdin.resume();
  return () => {
    if (isTerminal) stdin.setRawMode?.(false);
    stdin.off("data", onData);
    stdin.off("end", onEnd);
    stdout.off("resize", onResize);
    stdin.pause();
  };
}
