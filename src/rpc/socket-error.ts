// What the socket said, out of the story that grpc-js tells around it. Pure.

const CORE = /\bconnect E[A-Z_]+ \S+?(?=[.,]?(?:\s|$))|\blisten E[A-Z_]+: [^\],]+/;

/** `connect ECONNREFUSED 127.0.0.1:1`; the whole text where no socket is quoted. */
export function socketError(details: string): string {
  return CORE.exec(details)?.[0] ?? details.replace(/\.$/, "");
}
