import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dashboards } from './dashboards/index.ts'
import { panelsOf } from './dashboards/panels.ts'
import { root } from './generated.ts'
import {
  chart,
  kubernetesVersions,
  manifests,
  manifestsPath,
  newest,
  plainFiles,
  rendered,
  ruleFile,
  valueFiles,
} from './render.ts'
import { madeSchemas } from './schema-sources.ts'
import { found, type Outcome, run, type Tool, tools } from './tools.ts'

/**
 * `make chart-check`: everything about the chart that needs programs which are not from npm. Tells each check's result; what could not
 * be checked, for want of a program or of schemas, is told at the end and fails as well, unless CHART_CHECK_LENIENT is set.
 */
const failed: string[] = []
const unchecked: string[] = []
const folder = mkdtempSync(join(tmpdir(), 'tidemark-chart-'))

function told(what: string, { ok, text }: Pick<Outcome, 'ok' | 'text'>): void {
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'}  ${what}\n`)
  if (ok) return
  failed.push(what)
  process.stdout.write(`${text.trim().replaceAll(/^/gm, '      ')}\n`)
}

function withTool(tool: Tool, work: (program: string) => void): void {
  const program = found(tool)
  if (program) work(program)
  else unchecked.push(`${tool.names[0]} is missing. Get it: ${tool.get}`)
}

function temporary(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

function objects(helm: string): readonly string[] {
  return valueFiles.flatMap((values) => {
    const name = values.slice(values.lastIndexOf('/') + 1)
    told(`helm lint --strict, ${name}`, run(helm, ['lint', '--strict', '--kube-version', newest, chart, '-f', values]))
    return kubernetesVersions.map((kubernetes) => {
      const made = rendered(helm, values, kubernetes)
      const untested = made.ok && !/helm\.sh\/hook: test$/m.test(made.stdout)
      told(
        `helm template for Kubernetes ${kubernetes}, ${name}`,
        untested ? { ok: false, text: 'There is nothing for `helm test` to run: see .helmignore.' } : made,
      )
      return temporary(`${kubernetes}-${name}`, made.stdout)
    })
  })
}

/** Every panel's question, as rules that promtool can parse. */
function panelRules(): string {
  const plain = (expr: string) =>
    expr
      .replaceAll('$__rate_interval', '5m')
      .replaceAll('$__range', '1h')
      .replaceAll(/\$(namespace|projection|version)/g, '.*')
  const rules = dashboards.flatMap(panelsOf).flatMap(({ targets }) => targets.map(({ expr }) => plain(expr)))
  const lines = rules.map((expr, index) => `      - { record: 'panel:${index}', expr: ${JSON.stringify(expr)} }`)
  return ['groups:', '  - name: panels', '    rules:', ...lines, ''].join('\n')
}

/** Where schemas are if `make chart-tools` made none: Kubernetes' own, and a public catalogue of what others bring. */
const published = [
  'default',
  'https://raw.githubusercontent.com/datreeio/CRDs-catalog/main/{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json',
]

function schemas(kubeconform: string, files: readonly string[]): void {
  const given = process.env.KUBECONFORM_SCHEMAS
  for (const version of kubernetesVersions) {
    const here = given ? [given] : madeSchemas(version)
    const made = run(kubeconform, [
      '-strict',
      '-summary',
      '-ignore-missing-schemas',
      '-kubernetes-version',
      version,
      ...(here ?? published).flatMap((location) => ['-schema-location', location]),
      ...[...files.filter((file) => file.includes(`/${version}-`)), ...plainFiles],
    ])
    const unreachable =
      /failed (downloading|parsing) schema|could not (find|download)|no such host|connection refused|dial tcp/
    if (!here && unreachable.test(made.text))
      unchecked.push(`the schemas of Kubernetes ${version} can't be reached. \`make chart-tools\` makes them`)
    else told(`kubeconform -strict, Kubernetes ${version}`, made)
    const skipped = Number(/Skipped: (\d+)/.exec(made.stdout)?.[1] ?? 0)
    if (skipped > 0)
      unchecked.push(
        `${skipped} objects for Kubernetes ${version} have no schema. k8s/chart/schema-sources.ts lists them`,
      )
  }
}

try {
  withTool(tools.helm, (helm) => {
    const files = objects(helm)
    const plain = manifests(helm)
    const committed = readFileSync(join(root, manifestsPath), 'utf8')
    told(`${manifestsPath} is what the chart makes`, {
      ok: plain.ok && plain.stdout === committed,
      text: plain.ok ? 'It is not: run `make chart-manifests`.' : plain.text,
    })
    withTool(tools.promtool, (promtool) =>
      told(
        'promtool check rules, as the chart ships them',
        run(promtool, ['check', 'rules', temporary('rules.yaml', ruleFile(plain.stdout))]),
      ),
    )
    withTool(tools.kubeconform, (kubeconform) => schemas(kubeconform, files))
    withTool(tools.kubelinter, (linter) =>
      told(
        'kube-linter',
        run(linter, [
          'lint',
          '--config',
          join(root, 'k8s/chart/kube-linter.yaml'),
          ...files.filter((file) => file.includes(`/${newest}-`)),
        ]),
      ),
    )
  })
  withTool(tools.unittest, (unittest) => told('the templates, by helm-unittest', run(unittest, ['--strict', chart])))
  withTool(tools.promtool, (promtool) => {
    for (const name of ['fleet', 'alerts', 'wanted-workers'])
      told(`promtool test rules, ${name}`, run(promtool, ['test', 'rules', join(chart, `rules/tests/${name}.yaml`)]))
    told("every panel's PromQL parses", run(promtool, ['check', 'rules', temporary('panels.yaml', panelRules())]))
  })
} finally {
  rmSync(folder, { recursive: true })
}

for (const reason of new Set(unchecked)) process.stdout.write(`NOT CHECKED: ${reason}\n`)
process.stdout.write(`chart-check: ${failed.length} failed, ${new Set(unchecked).size} not checked\n`)
process.exitCode = failed.length > 0 || (unchecked.length > 0 && !process.env.CHART_CHECK_LENIENT) ? 1 : 0
