import { spawnSync } from 'node:child_process'

/** A program that the chart's check needs, and how to get it. */
export interface Tool {
  /** Names it goes by; the first that is there is used. */
  readonly names: readonly string[]
  readonly get: string
}

export const tools = {
  helm: {
    names: ['helm'],
    get: 'https://helm.sh/docs/intro/install, or `go install helm.sh/helm/v3/cmd/helm@v3.21.4`',
  },
  unittest: {
    names: ['helm-unittest', 'untt'],
    get: 'build ./cmd/helm-unittest of the Go module github.com/helm-unittest/helm-unittest (v1.1.2)',
  },
  promtool: {
    names: ['promtool'],
    get: 'part of Prometheus; Debian: `apt-get install --no-install-recommends prometheus`',
  },
  kubeconform: { names: ['kubeconform'], get: '`go install github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0`' },
  kubelinter: { names: ['kube-linter'], get: 'https://docs.kubelinter.io, or any release binary in PATH' },
} as const satisfies Record<string, Tool>

export interface Outcome {
  readonly ok: boolean
  readonly stdout: string
  /** Everything it said. */
  readonly text: string
}

/** The name a tool goes by here; undefined if it is missing. */
export function found({ names }: Tool): string | undefined {
  return names.find((name) => spawnSync(name, ['--help'], { stdio: 'ignore' }).error === undefined)
}

/** Runs a program to its end. Throws only if it can't be started. */
export function run(program: string, args: readonly string[], input?: string): Outcome {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    ...(input !== undefined && { input }),
  })
  if (error) throw error
  return { ok: status === 0, stdout, text: `${stdout}${stderr}` }
}
