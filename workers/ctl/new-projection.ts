import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TidemarkError } from '../../shared/errors.ts'
import type { Output } from './terminal.ts'

/** `tidemark new projection NAME`: a file that runs as it is, and its test. Nothing that exists is overwritten. */
export async function newProjection(name: string, folder: string, output: Output): Promise<number> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 40) {
    throw new TidemarkError(
      'USAGE',
      `${JSON.stringify(name)} is not a projection's name: kebab-case, at most 40 letters, digits and -.`,
    )
  }
  const files = { [`${name}.ts`]: await filled('projection', name), [`${name}.test.ts`]: await filled('test', name) }
  await mkdir(folder, { recursive: true })
  for (const [file, text] of Object.entries(files)) {
    await writeFile(join(folder, file), text, { flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
      throw new TidemarkError('USAGE', `${join(folder, file)} can't be written`, {
        cause,
        remedy: 'Choose another name or folder.',
      })
    })
    output.write(`wrote ${join(folder, file)}\n`)
  }
  output.write(
    `Next: fill it in, then\n  TIDEMARK_PROJECTIONS=${folder} tidemark init ${name}\n  TIDEMARK_PROJECTIONS=${folder} tidemark run ${name}\n`,
  )
  return 0
}

/** A template of this folder, with the name in the three ways it is written. */
async function filled(template: 'projection' | 'test', name: string): Promise<string> {
  const text = await readFile(new URL(`./template/${template}.txt`, import.meta.url), 'utf8')
  return text
    .replaceAll('NAME_KEBAB', name)
    .replaceAll('NAME_SNAKE', name.replaceAll('-', '_'))
    .replaceAll(
      'NAME_CAMEL',
      name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
    )
}
