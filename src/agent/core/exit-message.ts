// What a person should read about a task that failed: the first error, found in what torchrun and
// the script left behind.

/** Longer messages are cut: they travel in reports and are kept in the log of events. */
export const MESSAGE_CHARS_MAX = 500;

/**
 * `errorJson`: what torchrun wrote about the first worker that failed, null when nothing.
 * `stderrTail`: the end of the error output. Empty when neither tells anything.
 */
export function exitMessage(errorJson: unknown, stderrTail: string): string {
  const exceptions = exceptionsIn(stderrTail);
  const own = exceptions.find((line) => !SECONDARY.test(line));
  const said = workerError(errorJson) ?? own ?? rootCause(stderrTail) ?? exceptions[0];
  return cut(said ?? lastLine(stderrTail));
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

/** The last lines of tracebacks, a worker's own first: what peers and torchrun say comes after. */
function exceptionsIn(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => line.replace(/^\[[^\]]*\]:\s?/, "").trimEnd());
  return lines.filter((line) => EXCEPTION.test(line));
}

/** Of torchrun's summary: which worker went first, and of what, when it left no traceback. */
function rootCause(text: string): string | null {
  const summary = text.slice(text.lastIndexOf("Root Cause (first observed failure):"));
  const rank = /^ +rank +: (\d+)/m.exec(summary)?.[1];
  const code = /^ +exitcode +: (-?\d+)/m.exec(summary)?.[1];
  if (rank === undefined || code === undefined) return null;
  const signal = /^ +traceback +: Signal \d+ \((\w+)\)/m.exec(summary)?.[1];
  const how = signal === undefined ? `ended with exit code ${code}` : `was ended by ${signal}`;
  const words = signal === "SIGABRT" ? LAST_WORDS.exec(text)?.[1] : undefined;
  return `the worker of rank ${rank} ${how}${words === undefined ? "" : `: ${words}`}`;
}

/** Of a C++ library that gave up. */
const LAST_WORDS = /^(?:\[[^\]]*\]:\s?)?(terminate called .*?)\s*$/m;

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
