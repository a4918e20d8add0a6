import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadProjections } from '../loader.ts'
import { newProjection } from './new-projection.ts'

test('a new projection loads as it is, and nothing is overwritten', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-new-'))
  try {
    expect(await newProjection('open-invoices', folder, { write: () => true })).toBe(0)
    const { all } = await loadProjections({ builtin: false, paths: [folder] })
    expect(all.map(({ name, view }) => [name, view.name])).toEqual([['open-invoices', 'open_invoices']])
    expect(await readFile(join(folder, 'open-invoices.test.ts'), 'utf8')).toContain('specify(openInvoices)')
    await expect(newProjection('open-invoices', folder, { write: () => true })).rejects.toMatchObject({ code: 'USAGE' })
    await expect(newProjection('Open Invoices', folder, { write: () => true })).rejects.toThrow(/kebab-case/)
  } finally {
    await rm(folder, { recursive: true })
  }
})
