import { spawn } from 'node:child_process'
import type { Cluster } from '../e2e/cluster.ts'
import type { Prometheus } from '../e2e/prometheus.ts'
import type { Course, Courses } from './course.ts'

const STEP_SECONDS = 5

/** Watches a Deployment's numbers of workers, and reads everything else from Prometheus at the end. */
export class Recorder {
  readonly #prometheus: Prometheus
  readonly #began: number
  readonly #asked: [number, number][] = []
  readonly #ready: [number, number][] = []
  readonly #watch: ReturnType<typeof spawn>

  constructor(cluster: Cluster, prometheus: Prometheus, deployment: string, began: number) {
    this.#prometheus = prometheus
    this.#began = began
    const path = '{.spec.replicas} {.status.readyReplicas}{"\\n"}'
    this.#watch = spawn(
      'kubectl',
      ['--namespace', cluster.namespace, 'get', 'deployment', deployment, '--watch', '--output', `jsonpath=${path}`],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let rest = ''
    this.#watch.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) this.#note(line)
    })
  }

  /** Seconds since the beginning. */
  now(): number {
    return (Date.now() - this.#began) / 1_000
  }

  /** The number of workers asked for last. */
  asked(): number | undefined {
    return this.#asked.at(-1)?.[1]
  }

  /** All that was seen of a version's fleet. Ends the watch. */
  async courses(projection: string, version: number): Promise<Courses> {
    this.#watch.kill()
    const of = (record: string) => this.#range(`max(${record}{projection="${projection}",version="${version}"})`)
    return {
      arriving: await of('tidemark:fleet:arrival_rate'),
      applied: await of('tidemark:fleet:applied_rate'),
      lag: await of('tidemark:fleet:lag'),
      age: await of('tidemark:fleet:age_seconds'),
      capacity: await of('tidemark:fleet:capacity'),
      wanted: await of('tidemark:workers:wanted'),
      need: await of('tidemark:workers:need'),
      asked: this.#asked,
      ready: this.#ready,
    }
  }

  #note(line: string): void {
    const [asked = 0, ready = 0] = line.split(' ').map((text) => Number(text) || 0)
    const now = this.now()
    if (this.#asked.at(-1)?.[1] !== asked) this.#asked.push([now, asked])
    if (this.#ready.at(-1)?.[1] !== ready) this.#ready.push([now, ready])
  }

  async #range(query: string): Promise<Course> {
    const points = await this.#prometheus.course(query, this.#began / 1_000, Date.now() / 1_000, STEP_SECONDS)
    return points.map(([when, value]) => [when - this.#began / 1_000, value])
  }
}
