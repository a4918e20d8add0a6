import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './generated.ts'
import { manifests, manifestsPath } from './render.ts'
import { found, tools } from './tools.ts'

const helm = found(tools.helm)
if (!helm) {
  process.stderr.write(`helm is missing. Get it: ${tools.helm.get}\n`)
  process.exit(1)
}
const { ok, stdout, text } = manifests(helm)
if (!ok) {
  process.stderr.write(text)
  process.exit(1)
}
writeFileSync(join(root, manifestsPath), stdout)
process.stdout.write(`${manifestsPath}\n`)
