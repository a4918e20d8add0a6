import type { Reporter, TestModule } from 'vitest/node'

/**
 * Ends the run's output with `N passed, N failed`, for scripts that read the last line.
 * A file that can't be loaded, an error outside of any test and a set-up that fails count as one failure each,
 * so that the line never says "0 failed" of a run that failed.
 */
export default class SummaryReporter implements Reporter {
  #passed = 0
  #failed = 0
  #skipped = 0

  onInit(): void {
    // At exit, because the teardown and the other reporters still print after the last hook a reporter has.
    process.once('exit', () => {
      const failed = this.#failed === 0 && process.exitCode ? 1 : this.#failed
      if (this.#skipped > 0) console.log(`${this.#skipped} skipped`)
      console.log(`${this.#passed} passed, ${failed} failed`)
    })
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const results = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state))
    const count = (state: string) => results.filter((result) => result === state).length
    const broken = modules.filter((module) => module.errors().length > 0).length
    this.#passed = count('passed')
    this.#skipped = count('skipped') + count('pending')
    this.#failed = count('failed') + broken + unhandled.length
  }
}
