let told = false

/** Tells the runner, once, that the first event is in the worker's hands: rates count from here, start-up left out. */
export function handled(): void {
  if (told) return
  told = true
  process.stdout.write('bench: first event\n')
}
