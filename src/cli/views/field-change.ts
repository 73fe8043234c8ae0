// What differs between two things that are set field by field.

/** Null = nothing is said. */
export type FieldValue = string | number | boolean | null;
export type Fields = Readonly<Record<string, FieldValue>>;

export interface FieldChange {
  readonly field: string;
  readonly from: FieldValue;
  readonly to: FieldValue;
}

/** In the order of the fields; those that only one of the two has are null in the other. */
export function changedFields(before: Fields, after: Fields): readonly FieldChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .map((field) => ({ field, from: before[field] ?? null, to: after[field] ?? null }))
    .filter(({ from, to }) => from !== to);
}

/** `limit 32 → 16, weight 1 → 2`; a dash for what is not said. */
export const fieldsText = (changes: readonly FieldChange[]): string =>
  changes.map(({ field, from, to }) => `${field} ${from ?? "-"} → ${to ?? "-"}`).join(", ");
