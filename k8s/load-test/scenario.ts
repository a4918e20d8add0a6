import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const step = z.strictObject({
  seconds: z.number().positive(),
  /** Events per second; 0 is a pause. */
  rate: z.number().min(0),
  /** How much more popular the popular products are. */
  skew: z.number().min(0).optional(),
})

const scenario = z.strictObject({
  title: z.string(),
  projection: z.string(),
  version: z.int(),
  /** Where the projection is defined, beside the scenario; unset: in the image. */
  file: z.string().optional(),
  topics: z.array(z.string()).min(1),
  /** Of its topics together. */
  partitions: z.int().positive(),
  catchUpSeconds: z.int().positive(),
  /** CPU and memory limit of one worker, and the events a second it is taken to manage until that is measured. */
  worker: z.strictObject({ cpu: z.string(), memory: z.string(), assumedCapacity: z.int().positive() }),
  /** How many there may be, and how long it is calm before there are fewer. */
  workers: z.strictObject({ minimum: z.int().min(0), maximum: z.int().positive(), calmSeconds: z.int().positive() }),
  /** Bytes a second that get through to Cassandra; unset: all. Then nothing is promised of the backlog, but that it adds no worker. */
  cassandraBytesPerSecond: z.int().positive().optional(),
  steps: z.array(step).min(1),
})

/** What a load test does, one step after the other. */
export type Scenario = z.infer<typeof scenario>

/** Reads a scenario file. Throws with the file's name and what is wrong in it. */
export function readScenario(path: string): Scenario {
  const result = scenario.safeParse(JSON.parse(readFileSync(path, 'utf8')))
  if (result.success) return result.data
  throw new Error(`${path} is no scenario:\n${z.prettifyError(result.error)}`)
}

/** What it asks of the chart, as helm's arguments; `folder` is the scenario's. KEDA asks a Prometheus of this address, which it must know from its own namespace. */
export function chartValues(
  { projection, version, file, topics, partitions, catchUpSeconds, worker, workers }: Scenario,
  folder: string,
  prometheusAddress: string,
): readonly string[] {
  const { minimum, maximum, calmSeconds } = workers
  const fleet = {
    enabled: true,
    version,
    topics,
    partitions,
    resources: {
      requests: { cpu: '20m', memory: '96Mi' },
      limits: { cpu: worker.cpu, memory: worker.memory },
    },
    autoscaling: {
      minReplicas: minimum,
      maxReplicas: maximum,
      catchUpSeconds,
      assumedCapacity: worker.assumedCapacity,
      keda: { prometheusAddress, cooldownPeriod: calmSeconds },
      // Shorter windows, since a scenario is short; the steps themselves are the chart's own.
      behavior: {
        scaleUp: { stabilizationWindowSeconds: 0 },
        scaleDown: { stabilizationWindowSeconds: calmSeconds },
      },
    },
  }
  return [
    ...['--set-json', `projections.${projection}=${JSON.stringify(fleet)}`],
    ...(file ? ['--set-file', `projectionFiles.${file.replaceAll('.', '\\.')}=${join(folder, file)}`] : []),
  ]
}
