// "Did you mean": the nearest known word by edit distance. Pure.

/** The known word that a typo most likely stands for; null when none is near. */
export function nearest(word: string, known: Iterable<string>): string | null {
  const distanceMax = Math.max(1, Math.floor(word.length / 3));
  let best: string | null = null;
  let bestDistance = distanceMax + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `, did you mean gpus?`, or a list of what is known when it is short, or nothing. */
export function suggestion(word: string, known: Iterable<string>): string {
  const words = [...known];
  const near = nearest(word, words);
  if (near !== null) return `, did you mean ${near}?`;
  return words.length > 0 && words.length <= 24 ? ` (known: ${words.join(", ")})` : "";
}

/** Levenshtein distance in which swapping two neighbours counts once. */
function editDistance(a: string, b: string): number {
  const width = b.length + 1;
  const cells = new Int32Array((a.length + 1) * width);
  const at = (row: number, column: number): number => cells[row * width + column] ?? 0;
  for (let row = 0; row <= a.length; row++) {
    for (let column = 0; column <= b.length; column++) {
      cells[row * width + column] = cellDistance(a, b, row, column, at);
    }
  }
  return at(a.length, b.length);
}

function cellDistance(
  a: string,
  b: string,
  row: number,
  column: number,
  at: (row: number, column: number) => number,
): number {
  if (row === 0 || column === 0) return row + column;
  const isSame = a[row - 1] === b[column - 1];
  const best = Math.min(
    at(row - 1, column) + 1,
    at(row, column - 1) + 1,
    at(row - 1, column - 1) + (isSame ? 0 : 1),
  );
  const isSwap =
    row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
  return isSwap ? Math.min(best, at(row - 2, column - 2) + 1) : best;
}
