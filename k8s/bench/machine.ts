import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** What the figures were measured on, and with what. */
export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  const memory = Math.round(totalmem() / 2 ** 30)
  const versions = [`Node ${process.versions.node}`, ...['kafkajs', 'cassandra-driver'].map(packaged), go(), commit()]
  return `${cpus().length} × ${model}, ${memory} GiB, Linux ${said('uname', '-r')}; ${versions.filter((one) => one !== '').join(', ')}`
}

function packaged(name: string): string {
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'))
  return `${name} ${version}`
}

function go(): string {
  return said('go', 'env', 'GOVERSION').replace(/^go/, 'Go ')
}

function commit(): string {
  const changed = said('git', 'status', '--porcelain', '--', 'shared', 'workers') !== ''
  return `Tidemark at ${said('git', 'rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`
}

function said(command: string, ...args: string[]): string {
  return spawnSync(command, args, { encoding: 'utf8', cwd: root }).stdout?.trim() ?? ''
}
