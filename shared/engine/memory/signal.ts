/** Something has changed: whoever waits looks again. Keeps the in-memory ports free of timers. */
export class Signal {
  #next = Promise.withResolvers<void>()

  notify(): void {
    const { resolve } = this.#next
    this.#next = Promise.withResolvers<void>()
    resolve()
  }

  /** Resolves at the next `notify`. */
  wait(): Promise<void> {
    return this.#next.promise
  }

  /** Resolves as soon as `condition` holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.wait()
  }
}
