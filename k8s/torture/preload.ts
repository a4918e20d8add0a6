/*
 * Loaded into a worker before anything else, so that the torture suite can make it suffer from within: a wall clock that is days off
 * (TORTURE_CLOCK_DAYS), and on a message a stalled event loop or a memory that fills up.
 */

const days = Number(process.env.TORTURE_CLOCK_DAYS ?? 0)
if (days !== 0) {
  const { now } = Date
  const shift = days * 86_400_000
  Date.now = () => now() + shift
  globalThis.Date = new Proxy(Date, {
    construct: (target, args: unknown[]) => Reflect.construct(target, args.length === 0 ? [now() + shift] : args),
  })
}

process.on('message', (message: { readonly stallMs?: number; readonly hog?: boolean }) => {
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
