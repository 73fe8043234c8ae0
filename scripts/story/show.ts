// What a person sees while the story goes on: lines that stay, and on a terminal one that changes.

import pc from "picocolors";

export interface Show {
  /** A chapter of the story. */
  title(text: string): void;
  /** A command, as one would type it. */
  command(text: string): void;
  /** Something that happened, with the seconds since the start. */
  event(text: string): void;
  /** The one line that is overwritten; nothing where there is no terminal. */
  progress(text: string): void;
  plain(text: string): void;
}

/** Everything goes to stderr, so that stdout has the summary alone. */
export function createShow(startedAtMs: number): Show {
  const isTerminal = process.stderr.isTTY;
  const colour = pc.createColors(isTerminal && process.env["NO_COLOR"] === undefined);
  let hasProgress = false;
  const line = (text: string): void => {
    if (hasProgress) process.stderr.write("\r\u001b[2K");
    hasProgress = false;
    process.stderr.write(`${text}\n`);
  };
  const seconds = (): string => `${((Date.now() - startedAtMs) / 1000).toFixed(1)}s`.padStart(7);
  return {
    title: (text) => line(`\n${colour.bold(text)}`),
    command: (text) => line(`         ${colour.cyan(`$ ${text}`)}`),
    event: (text) => line(`${colour.dim(seconds())}  ${text}`),
    progress: (text) => {
      if (!isTerminal) return;
      const room = (process.stderr.columns ?? 80) - 10;
      process.stderr.write(`\r\u001b[2K${colour.dim(seconds())}  ${text.slice(0, room)}`);
      hasProgress = true;
    },
    plain: line,
  };
}
