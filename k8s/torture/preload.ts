import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/*
 * Loaded into a worker before anything else, so that the torture suite can make it suffer from within: a wall clock that is days off
 * (TORTURE_CLOCK_DAYS), and on a message a stalled event loop or a memory that fills up. And to be measured: what memory is left after a
 * full collection.
 */

const days = Number(process.env.TORTURE_CLOCK_DAYS ?? 0)
if (days !== 0) {
  const { now } = Date
  const shift = days * 86_400_000
  Date.now = () => now() + shift
  globalThis.Date = new Proxy(Date, {
    // `newTarget`, so that a subclass of Date makes its own.
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now() + shift] : args, newTarget),
  })
}

setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')

process.on('message', (message: { readonly stallMs?: number; readonly hog?: boolean; readonly weigh?: boolean }) => {
  if (message.weigh && typeof collect === 'function') {
    collect()
    const { heapUsed, external, rss } = process.memoryUsage()
    process.send?.({ heap: heapUsed + external, rss })
  }

  if (message.stallMs) {
    const until = performance.now() + message.stallMs
    while (performance.now() < until);
  }
  if (message.hog) {
    const kept: number[][] = []
    for (;;) kept.push(Array.from({ length: 100_000 }, (_, index) => index))
  }
})
// It must not be kept alive by its tormentor.
process.channel?.unref()
