import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from './cluster.ts'
import { until } from './patience.ts'
import type { ClusterSettings } from './settings.ts'

/** One series of an answer, at one moment. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  /** NaN where Prometheus says so. */
  readonly value: number
}

interface RangeAnswer {
  readonly data: { readonly result: readonly { values: [number, string][] }[] }
}

interface Answer {
  readonly data: { readonly result: readonly { metric: Record<string, string>; value: [number, string] }[] }
}

interface RuleGroups {
  readonly data: {
    readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[]
  }
}

/** A rule as Prometheus runs it. */
export interface Rule {
  readonly name: string
  readonly query: string
  readonly health: string
  readonly lastError?: string
}

const PROXY = 'services/prometheus:web/proxy/api/v1'

/** A Prometheus in the cluster's namespace that scrapes the workers and runs the chart's rules, asked through the API server. */
export class Prometheus {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async install({ prometheusImage }: Pick<ClusterSettings, 'prometheusImage'>): Promise<void> {
    const text = readFileSync(join(import.meta.dirname, 'prometheus.yaml'), 'utf8')
    await this.#cluster.apply(text.replace(/image: \S*prometheus:\S+/, `image: ${prometheusImage}`))
    await this.#cluster.kubectl('rollout', 'status', 'deployment/prometheus', '--timeout', '180s')
  }

  /** What PromQL gives now. Rejects where Prometheus refuses it. */
  async ask(query: string): Promise<readonly Sample[]> {
    const { data }: Answer = JSON.parse(await this.#cluster.get(`${PROXY}/query?query=${encodeURIComponent(query)}`))
    return data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }))
  }

  /** The value of a query that gives one series; undefined if it gives none. */
  async number(query: string): Promise<number | undefined> {
    const [first] = await this.ask(query)
    return first?.value
  }

  /** A query that gives one series, from moment to moment in Unix seconds; without what is no number. */
  async course(query: string, start: number, end: number, step: number): Promise<readonly [number, number][]> {
    const range = `query=${encodeURIComponent(query)}&start=${start}&end=${end}&step=${step}`
    const { data }: RangeAnswer = JSON.parse(await this.#cluster.get(`${PROXY}/query_range?${range}`))
    const values = data.result[0]?.values ?? []
    return values
      .map(([when, value]): [number, number] => [when, Number(value)])
      .filter(([, value]) => Number.isFinite(value))
  }

  /** The rules that it runs, once it has any. */
  async rules(): Promise<readonly Rule[]> {
    return until('Prometheus has the rules of the chart', 180, async () => {
      const { data }: RuleGroups = JSON.parse(await this.#cluster.get(`${PROXY}/rules`))
      const rules = data.groups.flatMap((group) => group.rules)
      return rules.length > 0 && rules
    })
  }
}
