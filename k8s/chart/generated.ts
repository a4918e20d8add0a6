import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { grafanaJson } from './dashboards/grafana.ts'
import { dashboards } from './dashboards/index.ts'
import { documentedValues, valuesTable } from './values-table.ts'
import { wantedWorkersRuleTest } from './wanted-workers-cases.ts'

export const root = join(import.meta.dirname, '../..')

/** A committed file that is written by a program. */
export interface Generated {
  /** From the repository's root. */
  readonly path: string
  readonly text: string
}

const BEGIN = '<!-- values: written by `make chart-docs` -->'
const END = '<!-- end of values -->'

/** What can be written without Helm: the README's table of values, dashboards, the test that ties rules and function. */
export function generated(): readonly Generated[] {
  return [
    { path: 'helm/README.md', text: readme() },
    { path: 'helm/rules/tests/wanted-workers.yaml', text: wantedWorkersRuleTest() },
    ...dashboards.map((dashboard) => ({
      path: `helm/dashboards/${dashboard.uid.replace('tidemark-', '')}.json`,
      text: grafanaJson(dashboard),
    })),
  ]
}

/** The README as it is, with its table of values anew. */
function readme(): string {
  const text = readFileSync(join(root, 'helm/README.md'), 'utf8')
  const [before, rest] = text.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error(`helm/README.md must contain ${BEGIN} and ${END}`)
  const table = valuesTable(documentedValues(readFileSync(join(root, 'helm/values.yaml'), 'utf8')))
  return `${before}${BEGIN}\n${table}\n${END}${after}`
}
