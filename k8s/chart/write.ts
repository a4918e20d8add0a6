import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generated, root } from './generated.ts'

for (const { path, text } of generated()) {
  writeFileSync(join(root, path), text)
  process.stdout.write(`${path}\n`)
}
