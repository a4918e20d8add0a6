import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { inGoModule } from './go-module.ts'
import { isMade, makeSchemas, schemaSources } from './schema-sources.ts'
import { builtPath, controllerGen, found, type Outcome, type Tool, tools } from './tools.ts'

/**
 * `make chart-tools`: builds with Go what `make chart-check` needs and this machine lacks, and makes the schemas that kubeconform reads,
 * both into the cache. Goes on after a failure and exits with 1 in the end; what is there stays, so a second run does the rest.
 */
let failures = 0

function told(what: string, work: () => Outcome): void {
  const start = performance.now()
  const { ok, text } = work()
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'}  ${what} (${((performance.now() - start) / 1_000).toFixed(0)} s)\n`)
  if (ok) return
  failures += 1
  process.stdout.write(`${text.trim().split('\n').slice(-10).join('\n').replaceAll(/^/gm, '      ')}\n`)
}

function build(tool: Tool & Required<Pick<Tool, 'go'>>): Outcome {
  const { module, program, tags = '' } = tool.go
  const path = builtPath(tool)
  mkdirSync(dirname(path), { recursive: true })
  // Under another name first: a run that is ended halfway must not leave half a program.
  const unfinished = `${path}.${process.pid}`
  try {
    const made = inGoModule(tool.go, 'go', [
      'build',
      '-trimpath',
      '-ldflags=-s -w',
      `-tags=${tags}`,
      '-o',
      unfinished,
      `${module}/${program}`,
    ])
    if (made.ok) renameSync(unfinished, path)
    return made
  } finally {
    rmSync(unfinished, { force: true })
  }
}

if (!found({ names: ['go'], get: '' })) {
  process.stderr.write('go is missing. Get it: https://go.dev/doc/install, then run `make chart-tools` again\n')
  process.exit(1)
}
const schemas = schemaSources.filter((source) => !isMade(source))
const wanted: readonly Tool[] = [...Object.values(tools), ...(schemas.length > 0 ? [controllerGen] : [])]
for (const tool of wanted) {
  const { names, get, go } = tool
  if (found(tool)) process.stdout.write(`ok    ${names[0]} is there\n`)
  else if (go) told(`${names[0]} ${go.version}`, () => build({ ...tool, go }))
  else process.stdout.write(`      ${names[0]} is not built here. Get it: ${get}\n`)
}
const [generator, helm] = [found(controllerGen), found(tools.helm)]
if (generator && helm)
  for (const source of schemas)
    told(`schemas of ${source.module} ${source.version}`, () => makeSchemas(source, generator, helm))
process.exitCode = failures > 0 ? 1 : 0
