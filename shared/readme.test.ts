import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { settingNames } from './config.ts'
import { catalogue } from './errors.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

interface Page {
  /** From the repository's root: `shared/engine/README.md`. */
  readonly path: string
  readonly text: string
}

const front: Page = { path: 'README.md', text: read('README.md') }
const pages: readonly Page[] = [
  front,
  { path: 'CHANGELOG.md', text: read('CHANGELOG.md') },
  ...['shared', 'workers', 'k8s'].flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('README.md') && !path.includes('node_modules'))
      .map((path) => ({ path: posix.join(top, path), text: read(join(top, path)) })),
  ),
]

/** Everything on a page that is code: fenced and indented blocks line by line, and spans. */
function codeOf({ text }: Page): string[] {
  const fenced = Array.from(text.matchAll(/^```\w*\n([\s\S]*?)^```$/gm), ([, block = '']) => block.split('\n')).flat()
  const indented = Array.from(text.matchAll(/^ {4}(.*)$/gm), ([, line = '']) => line)
  const spans = Array.from(text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g), ([, span = '']) => span)
  return [...fenced, ...indented, ...spans]
}

/** A check of every page; what it complains about is said with the page's path. */
function onEveryPage(check: (page: Page) => readonly string[]): string[] {
  return pages.flatMap((page) => check(page).map((fault) => `${page.path}: ${fault}`))
}

/** The rows of a table of the front page that is marked `<!-- name -->`, by the name in the first cell. */
function marked(name: string): ReadonlyMap<string, readonly string[]> {
  const [, table = ''] = front.text.split(`<!-- ${name} -->\n`)
  const rows = table.split('<!-- end -->')[0]!.trim().split('\n').slice(2)
  return new Map(
    rows.map((row) => {
      const [first = '', ...others] = row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', ''))
      return [first, others]
    }),
  )
}

describe('code', () => {
  const CUT = /^<!-- cut from (\S+) -->\n+```\w+\n([\s\S]*?)^```$/gm

  test('that is cut from a file is in that file, letter by letter', () => {
    expect(front.text.match(CUT)?.length).toBeGreaterThan(1)
    const faults = onEveryPage(({ text }) =>
      Array.from(text.matchAll(CUT), ([, path = '', block = '']) =>
        `\n${read(path)}`.includes(`\n${block}`) ? '' : `a block is not in ${path} as it stands there`,
      ).filter(Boolean),
    )
    expect(faults).toEqual([])
  })

  test('that is not cut from a file is not TypeScript', () => {
    const all = front.text.match(/^```ts$/gm)?.length
    expect(front.text.match(/^<!-- cut from \S+ -->\n+```ts$/gm)?.length).toBe(all)
  })
})

describe('commands', () => {
  const main = read('workers/ctl/main.ts')
  /** `init`, `dead-letters list`: read from the text, since to import it is to run it. */
  const commands = new Set([
    ...Array.from(main.matchAll(/program\s+\.command\('([a-z-]+)'\)/g), ([, name = '']) => name),
    ...Array.from(main.matchAll(/deadLetters\s+\.command\('([a-z-]+)'\)/g), ([, name]) => `dead-letters ${name}`),
    ...Array.from(main.matchAll(/\['(retry|skip)', '/g), ([, name]) => `dead-letters ${name}`),
    'new projection',
  ])
  const groups = new Set(['dead-letters', 'new'])
  const CALL = /(?:^|[\s|`(])tidemark ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?/g

  const calledOn = (page: Page) =>
    codeOf(page).flatMap((code) =>
      Array.from(code.matchAll(CALL), ([, first = '', second]) =>
        groups.has(first) && second ? `${first} ${second}` : first,
      ),
    )

  test('are read from the command line as it is', () => {
    expect(commands.size).toBeGreaterThan(12)
    expect(main).toContain(".command('projection')")
  })

  test('that pages name exist', () => {
    expect(onEveryPage((page) => calledOn(page).filter((name) => !commands.has(name) && !groups.has(name)))).toEqual([])
  })

  test('are all on the front page', () => {
    const named = new Set(calledOn(front))
    expect([...commands].filter((name) => !named.has(name) && !groups.has(name))).toEqual([])
  })

  test('have the options that pages give them', () => {
    const unknown = onEveryPage((page) =>
      codeOf(page)
        .filter((code) => /(^|\s)tidemark [a-z]/.test(code) || (page === front && code.startsWith('--')))
        .flatMap((code) => code.match(/(?<=^|\s)--[a-z-]+/g) ?? [])
        .filter((option) => !new RegExp(`'${option}[ ']`).test(main)),
    )
    expect(unknown).toEqual([])
  })

  test('of Make exist, and the front page has them all', () => {
    const targets = new Set(Array.from(read('Makefile').matchAll(/^([a-z0-9-]+):.*## /gm), ([, name = '']) => name))
    const called = (page: Page) =>
      codeOf(page).flatMap((code) =>
        Array.from(code.matchAll(/(?:^|[\s(])make (?:-s )?([a-z][a-z0-9-]*)/g), ([, name = '']) => name),
      )
    expect(onEveryPage((page) => called(page).filter((name) => !targets.has(name)))).toEqual([])
    const named = new Set(called(front))
    expect([...targets].filter((name) => !named.has(name))).toEqual([])
  })
})

describe('settings', () => {
  const table = marked('settings')

  test('are all on the front page, and no others', () => {
    expect([...table.keys()]).toEqual(settingNames)
  })

  test('have the defaults that the front page says', () => {
    const config = read('shared/config.ts')
    const expected = settingNames.map((name) => {
      const [, definition = ''] = new RegExp(`^  ${name}: ([\\s\\S]*?),\\n(?=\\n|}|  [A-Z/])`, 'm').exec(config) ?? []
      return [name, /\.prefault\('([^']*)'\)/.exec(definition)?.[1] ?? '']
    })
    expect([...table].map(([name, [standard = '']]) => [name, standard])).toEqual(expected)
  })

  test('and error codes that pages name exist', () => {
    const known = new Set([...settingNames, ...Object.keys(catalogue)])
    // What starts servers has settings of its own.
    const rooms = pages.filter(({ path }) => !path.startsWith('k8s/'))
    const unknown = rooms.flatMap(({ path, text }) =>
      (text.match(/\b(?:KAFKA|CASSANDRA|TIDEMARK|EVENT|ROW|LOG|TABLE|TOPIC|HANDLER)_[A-Z]+[A-Z_]*\b/g) ?? [])
        .filter((name) => !known.has(name))
        .map((name) => `${path}: ${name}`),
    )
    expect(unknown).toEqual([])
  })
})

test('metrics are all on the front page with their types, and no others', () => {
  const source = read('shared/observability/metrics.ts')
  const made = Array.from(
    source.matchAll(/(?:new )?(Counter|Gauge|Histogram|counter|gauge)\(\{?\s*(?:name: )?'(tidemark_\w+)'/g),
    ([, type = '', name = '']) => `${name} ${type.toLowerCase()}`,
  )
  expect(made.length).toBe(source.match(/'tidemark_\w+'/g)?.length)
  expect([...marked('metrics')].map(([name, [type]]) => `${name} ${type}`).sort()).toEqual(made.sort())
})

describe('links', () => {
  /** As GitHub makes them. */
  const anchors = (text: string) =>
    Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    )

  test('lead somewhere', () => {
    const broken = onEveryPage(({ path, text }) =>
      Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target).filter((target) => {
        if (/^https?:/.test(target)) return false
        const [file = '', anchor] = target.split('#')
        const there = file === '' ? path : posix.join(dirname(path), file)
        if (!existsSync(join(root, there))) return true
        return anchor !== undefined && !anchors(read(there)).includes(anchor)
      }),
    )
    expect(broken).toEqual([])
  })

  test('and files that pages name in code exist: beside the page, below it, or from the root', () => {
    const below = (folder: string) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter(
        (path) => !path.includes('node_modules'),
      )
    const missing = onEveryPage((page) => {
      const folder = dirname(page.path)
      const names = new Set(
        Array.from(page.text.matchAll(/`([\w./-]+\.(?:ts|yaml|json|md))`/g), ([, name = '']) => name).filter(
          (name) => !/^[./]/.test(name) || name.startsWith('../'),
        ),
      )
      const here = page === front ? [] : below(folder)
      return [...names].filter(
        (name) =>
          !existsSync(join(root, folder, name)) &&
          !existsSync(join(root, name)) &&
          !here.some((path) => path === name || path.endsWith(`/${name}`)),
      )
    })
    expect(missing).toEqual([])
  })

  test('reach every room from the front page', () => {
    const rooms = ['shared', 'workers'].flatMap((top) =>
      readdirSync(join(root, top))
        .filter((name) => statSync(join(root, top, name)).isDirectory())
        .map((name) => `${top}/${name}/README.md`),
    )
    expect(rooms.filter((path) => !front.text.includes(`(${path})`)).map((path) => relative('.', path))).toEqual([])
  })
})
