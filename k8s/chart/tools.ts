import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir } from '../dev/jars.ts'

/** A version of a Go module. */
export interface GoModule {
  readonly module: string
  readonly version: string
  /** What its own go.mod replaces, which Go heeds only in the module that is built. */
  readonly replace?: string
}

/** A program that the chart's check needs, and how to get it. */
export interface Tool {
  /** Names it goes by in PATH; the first that is there is used. */
  readonly names: readonly string[]
  readonly get: string
  /** What `make chart-tools` builds it from. */
  readonly go?: GoModule & { readonly program: string; readonly tags?: string }
}

export const tools = {
  helm: {
    names: ['helm'],
    get: '`make chart-tools`, or https://helm.sh/docs/intro/install',
    go: { module: 'helm.sh/helm/v3', version: 'v3.21.4', program: 'cmd/helm' },
  },
  unittest: {
    names: ['helm-unittest', 'untt'],
    get: '`make chart-tools`',
    go: {
      module: 'github.com/helm-unittest/helm-unittest',
      version: 'v1.1.2',
      program: 'cmd/helm-unittest',
      replace: 'github.com/vmware-labs/yaml-jsonpath v0.3.2 => github.com/helm-unittest/yaml-jsonpath v0.4.0',
    },
  },
  promtool: {
    names: ['promtool'],
    get: '`make chart-tools`, or Debian: `apt-get install --no-install-recommends prometheus`',
    // Of the release that k8s/e2e runs, v3.14.0. Service discovery is the greater part of it, and nothing that rules need.
    go: {
      module: 'github.com/prometheus/prometheus',
      version: 'v0.314.0',
      program: 'cmd/promtool',
      tags: 'remove_all_sd',
    },
  },
  kubeconform: {
    names: ['kubeconform'],
    get: '`make chart-tools`',
    go: { module: 'github.com/yannh/kubeconform', version: 'v0.7.0', program: 'cmd/kubeconform' },
  },
  // Its Go module is not served everywhere, so nothing builds it.
  kubelinter: { names: ['kube-linter'], get: 'https://docs.kubelinter.io, any release binary in PATH' },
} as const satisfies Record<string, Tool>

/** Makes custom resource definitions from Go types: only `make chart-tools` needs it. */
export const controllerGen = {
  names: ['controller-gen'],
  get: '`make chart-tools`',
  go: { module: 'sigs.k8s.io/controller-tools', version: 'v0.23.0', program: 'cmd/controller-gen' },
} as const satisfies Tool

/** Where `make chart-tools` puts what it makes. */
export const toolFolder = join(cacheDir(), 'tools')

/** Where a tool is once it is built; another version is another file. */
export function builtPath({ names, go }: Tool): string {
  return join(toolFolder, 'bin', `${names[0]}-${go?.version}`)
}

export interface Outcome {
  readonly ok: boolean
  readonly stdout: string
  /** Everything it said. */
  readonly text: string
}

/** The program a tool is here, from PATH or built; undefined if it is missing. */
export function found(tool: Tool): string | undefined {
  return (
    tool.names.find((name) => spawnSync(name, ['--help'], { stdio: 'ignore' }).error === undefined) ??
    [builtPath(tool)].find(existsSync)
  )
}

/** Runs a program to its end. Throws only if it can't be started. */
export function run(
  program: string,
  args: readonly string[],
  { cwd, env }: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Outcome {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, ...env },
  })
  if (error) throw error
  return { ok: status === 0, stdout, text: `${stdout}${stderr}` }
}
