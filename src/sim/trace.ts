// What happened in one run, as lines and as one digest of them. Two runs of a seed must give the same
// digest; the lines are kept only for a replay, since they cost memory.

export class Trace {
  /** Null = only the digest is kept. */
  readonly lines: string[] | null;
  lineCount = 0;
  private high = 0x9747b28c;
  private low = 0x85ebca6b;

  constructor(options: { readonly keepsLines: boolean }) {
    this.lines = options.keepsLines ? [] : null;
  }

  write(nowMs: number, actor: string, text: string): void {
    this.lineCount += 1;
    this.mixNumber(nowMs);
    this.mixText(actor);
    this.mixText(text);
    this.lines?.push(`${String(nowMs).padStart(8)} ${actor.padEnd(10)} ${text}`);
  }

  /** 16 hex digits over every line so far, in order. */
  digest(): string {
    const hex = (half: number): string => (half >>> 0).toString(16).padStart(8, "0");
    return hex(this.high) + hex(this.low);
  }

  private mixText(text: string): void {
    let { high, low } = this;
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      high = Math.imul(high ^ unit, 0x01000193);
      low = Math.imul(low + unit, 0x5bd1e995) ^ (low >>> 15);
    }
    this.high = high;
    this.low = low;
    this.mixNumber(text.length);
  }

  private mixNumber(value: number): void {
    this.high = Math.imul(this.high ^ (value | 0), 0xcc9e2d51);
    this.low = Math.imul(this.low + (value | 0), 0x1b873593) ^ (this.low >>> 13);
  }
}
