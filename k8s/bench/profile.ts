import { readFileSync } from 'node:fs'

/** What V8 writes with --cpu-prof. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

// Prints where a worker's time goes, waiting left out: `node k8s/bench/profile.ts FILE.cpuprofile [EVENTS] [LINES]`.
const [file, events = '0', lines = '40'] = process.argv.slice(2)
if (!file) throw new Error('usage: node k8s/bench/profile.ts FILE.cpuprofile [EVENTS] [LINES]')
const profile: Profile = JSON.parse(readFileSync(file, 'utf8'))

const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
const own = new Map<string, number>()
const within = new Map<string, number>()
for (const [index, sample] of profile.samples.entries()) {
  const took = profile.timeDeltas[index]!
  const name = nameOf(sample)
  if (name === '(idle)' || name === '(program)' || name === '(root)') continue
  own.set(name, (own.get(name) ?? 0) + took)
  const met = new Set<string>()
  for (let at: number | undefined = sample; at !== undefined; at = parents.get(at)) met.add(nameOf(at))
  for (const each of met) within.set(each, (within.get(each) ?? 0) + took)
}
const busy = [...own.values()].reduce((a, b) => a + b, 0)
console.log(
  `${(busy / 1e6).toFixed(2)} s of CPU${Number(events) > 0 ? `, ${(busy / Number(events)).toFixed(2)} µs an event` : ''}`,
)
print('itself', own)
print('with what it calls', within)

function print(title: string, times: ReadonlyMap<string, number>): void {
  console.log(`\n${title}`)
  const most = [...times].sort(([, a], [, b]) => b - a).slice(0, Number(lines))
  for (const [name, time] of most) {
    const each = Number(events) > 0 ? ` ${(time / Number(events)).toFixed(2).padStart(6)} µs` : ''
    console.log(`${((100 * time) / busy).toFixed(1).padStart(5)} %${each}  ${name}`)
  }
}

function nameOf(id: number): string {
  const { functionName, url, lineNumber } = nodes.get(id)!.callFrame
  const place = url.replace(/^.*\/node_modules\//, '').replace(`file://${process.cwd()}/`, '')
  return `${functionName || '(anonymous)'}${place ? `  ${place}:${lineNumber + 1}` : ''}`
}
