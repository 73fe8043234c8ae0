// Reads what `nvidia-smi --query-gpu` prints. Fields that a GPU does not have come as `[N/A]`, in
// older drivers as `[Not Supported]` or `[Unknown Error]`.

/** Order matters: the parser goes by position. */
export const GPU_QUERY = [
  "index",
  "uuid",
  "name",
  "memory.total",
  "memory.used",
  "utilization.gpu",
  "temperature.gpu",
  "power.draw",
  "ecc.errors.uncorrected.volatile.total",
] as const;

/** One GPU at one moment; null = this GPU does not tell. */
export interface GpuSample {
  readonly index: number;
  readonly uuid: string;
  readonly type: string;
  readonly memoryTotalMib: number;
  readonly memoryUsedMib: number | null;
  readonly utilizationPercent: number | null;
  readonly temperatureC: number | null;
  readonly powerW: number | null;
  readonly eccUncorrected: number | null;
}

/** Null for a line that is no sample: a warning, a blank, an error in words. */
export function parseGpuLine(line: string): GpuSample | null {
  const fields = line.split(",").map((field) => field.trim());
  if (fields.length !== GPU_QUERY.length) return null;
  const [index, uuid, type, total, used, utilization, temperature, power, ecc] = fields;
  const gpu = number(index);
  const memoryTotalMib = number(total);
  if (gpu === null || memoryTotalMib === null || !uuid?.startsWith("GPU-")) return null;
  return {
    index: gpu,
    uuid,
    type: type ?? "",
    memoryTotalMib,
    memoryUsedMib: number(used),
    utilizationPercent: number(utilization),
    temperatureC: number(temperature),
    powerW: number(power),
    eccUncorrected: number(ecc),
  };
}

function number(text: string | undefined): number | null {
  if (text === undefined || !/^-?\d+(\.\d+)?$/.test(text)) return null;
  return Number(text);
}
