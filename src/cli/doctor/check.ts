// One thing that the doctor looks at, and what came of it.

export type CheckStatus = "ok" | "warn" | "fail" | "skip";

export interface CheckResult {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found. */
  readonly message: string;
  /** What to do; empty when all is well. */
  readonly remedy: string;
}

export type Check = () => Promise<CheckResult>;

export const ok = (name: string, message: string): CheckResult => ({
  name,
  status: "ok",
  message,
  remedy: "",
});

export function notOk(
  name: string,
  status: Exclude<CheckStatus, "ok">,
  message: string,
  remedy = "",
): CheckResult {
  return { name, status, message, remedy };
}

/** A check that throws has failed, with what it threw as the reason. */
export async function runCheck(name: string, check: Check): Promise<CheckResult> {
  try {
    return await check();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return notOk(name, "fail", message);
  }
}
