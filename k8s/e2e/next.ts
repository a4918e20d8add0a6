import { join } from 'node:path'

/** Helm's arguments that make version 2 of cart-summary known, as a projection file, and run it beside version 1. */
export const NEXT_BESIDE = [
  ...['--set-file', `projectionFiles.next\\.ts=${join(import.meta.dirname, 'cart-summary-v2.ts')}`],
  ...['--set-json', 'projections.cart-summary.versions={"2":{}}'],
]
/** The ConfigMap in which the chart keeps such files. */
export const FILES = 'tidemark-projections'
