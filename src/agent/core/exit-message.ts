// What a person should read about a task that failed: the first error, found in what torchrun and
// the script left behind.

/** Longer messages are cut: they travel in reports and are kept in the log of events. */
export const MESSAGE_CHARS_MAX = 500;

/**
 * `errorJson`: what torchrun wrote about the first worker that failed, null when nothing.
 * `stderrTail`: the end of the error output. Empty when neither tells anything.
 */
export function exitMessage(errorJson: unknown, stderrTail: string): string {
  return cut(workerError(errorJson) ?? lastException(stderrTail) ?? lastLine(stderrTail));
}

/** Another program took the rendezvous port between its choice and its use. */
export function isPortTaken(stderrTail: string): boolean {
  return /errno: 98\b|EADDRINUSE|Address already in use/.test(stderrTail);
}

/** Its output says that it found no room on a disk. */
export function isNoSpace(text: string): boolean {
  return /No space left on device|Disk quota exceeded|\bENOSPC\b|\bEDQUOT\b/.test(text);
}

/** Two forms: `{"message": {"message": …}}` by `@record`, `{"message": "…"}` by torchrun itself. */
function workerError(value: unknown): string | null {
  const message = field(value, "message");
  if (typeof message === "string") return message === "" ? null : message;
  const inner = field(message, "message");
  return typeof inner === "string" && inner !== "" ? inner : null;
}

/**
 * The last exception of the first traceback that is a worker's own: peers that lost their connection
 * and torchrun's summary come after it.
 */
function lastException(text: string): string | null {
  const lines = text.split("\n").map((line) => line.replace(/^\[[^\]]*\]:\s?/, "").trimEnd());
  const found = lines.filter((line) => EXCEPTION.test(line));
  return found.find((line) => !SECONDARY.test(line)) ?? found[0] ?? null;
}

const EXCEPTION = /^(\w+\.)*\w*(Error|Exception|Interrupt|Failure|NotFound|Exit)\b.*/;
const SECONDARY = /ChildFailedError|Connection (closed|reset)|SignalException|DistNetworkError/;

function lastLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.findLast((line) => line !== "") ?? "";
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function cut(text: string): string {
  return text.length <= MESSAGE_CHARS_MAX ? text : `${text.slice(0, MESSAGE_CHARS_MAX - 1)}…`;
}
