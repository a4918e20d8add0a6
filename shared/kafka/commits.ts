import { type Source, sourceText } from '../events/position.ts'

export interface Commit {
  readonly source: Source
  readonly next: number
}

/**
 * Sends commits that come close together as one: at once if none was sent for a while, else when the pause is over, and one at a
 * time, so that an older one never arrives after a newer one. Of several for one partition the last counts.
 */
export class Commits {
  readonly #send: (commits: readonly Commit[]) => Promise<void>
  readonly #pause: number
  #waiting = new Map<string, Commit>()
  #answer = Promise.withResolvers<void>()
  #sending: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #last = Number.NEGATIVE_INFINITY
  #hurried = false

  /** `pause`: milliseconds between two commits. */
  constructor(send: (commits: readonly Commit[]) => Promise<void>, pause = 100) {
    this.#send = send
    this.#pause = pause
  }

  /** Resolves, or rejects, as the commit that carries it does. */
  add(commit: Commit): Promise<void> {
    this.#waiting.set(sourceText(commit.source), commit)
    const answered = this.#answer.promise
    this.#schedule()
    return answered
  }

  /** From now on nothing waits: the generation is ending, or the process. */
  hurry(): void {
    this.#hurried = true
    this.#schedule()
  }

  /** Resolves when nothing is waiting or under way. */
  async settled(): Promise<void> {
    this.hurry()
    while (this.#sending) await this.#sending
  }

  #schedule(): void {
    if (this.#sending || this.#waiting.size === 0) return
    const wait = this.#hurried ? 0 : this.#last + this.#pause - performance.now()
    clearTimeout(this.#timer)
    if (wait > 0) this.#timer = setTimeout(() => this.#flush(), wait)
    else this.#flush()
  }

  #flush(): void {
    const commits = [...this.#waiting.values()]
    const answer = this.#answer
    this.#waiting = new Map()
    this.#answer = Promise.withResolvers()
    this.#last = performance.now()
    this.#sending = this.#send(commits)
      .then(answer.resolve, answer.reject)
      .then(() => {
        this.#sending = undefined
        this.#schedule()
      })
  }
}
