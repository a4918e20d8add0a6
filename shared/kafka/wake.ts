/** Wakes loops that wait for something to do. Several calls before one of them looks are one. */
export class Wake {
  #next = Promise.withResolvers<void>()

  wake(): void {
    const { resolve } = this.#next
    this.#next = Promise.withResolvers()
    resolve()
  }

  /** Resolves at the next `wake`. */
  woken(): Promise<void> {
    return this.#next.promise
  }
}
