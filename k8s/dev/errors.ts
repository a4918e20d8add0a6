/** A failure the person at the terminal can do something about: what happened, and what to type next. */
export class StackError extends Error {
  readonly remedy: string

  constructor(what: string, remedy: string) {
    super(what)
    this.name = 'StackError'
    this.remedy = remedy
  }

  override toString(): string {
    return `${this.message}\n  → ${this.remedy}`
  }
}

/** A port that the stack needs belongs to somebody else. */
export class PortTaken extends StackError {}
