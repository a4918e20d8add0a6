import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

/** A folder of files, outside of the repository; removed after the test. */
async function folder(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'tidemark loader-'))
  onTestFinished(() => rm(root, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), text)
  }
  return root
}

function projection(
  name: string,
  { version = 1, view = name.replaceAll('-', '_'), partitions = 12, topic = `${name}-topic` } = {},
): string {
  return `
    import { defineProjection, defineTopic, type Row, table, z } from 'tidemark'
    const topic = defineTopic({ name: '${topic}', partitions: ${partitions}, events: { Seen: z.object({ id: z.string() }) } })
    const view = table('${view}', { columns: { id: 'text', count: 'int' }, partitionKey: ['id'] })
    const more = (row: Row<typeof view>): Row<typeof view> => ({ ...row, count: row.count + 1 })
    export const it = defineProjection({
      name: '${name}', version: ${version}, topic, view,
      key: ({ data }) => ({ id: data.id }), initial: ({ id }) => ({ id, count: 0 }), on: { Seen: row => more(row) },
    })`
}

const LOADER = new URL('./loader.ts', import.meta.url).href

/** Loads in a process of its own, as the projector does: what is under test is how Node itself takes the files. */
async function load(
  paths: readonly string[],
  { builtin = false, get = '' } = {},
): Promise<{ names: string[]; code: string; message: string }> {
  const script = `
    import { loadProjections } from ${JSON.stringify(LOADER)}
    const { defineProjection } = await import(new URL('../shared/projection/index.ts', ${JSON.stringify(LOADER)}))
    try {
      const projections = await loadProjections(${JSON.stringify({ builtin, paths })})
      const found = ${JSON.stringify(get)} ? [projections.get(${JSON.stringify(get)})] : projections.all
      console.log(JSON.stringify({ names: found.map(({ name, version }) => name + '.v' + version), code: '', message: '' }))
    } catch (error) {
      console.log(JSON.stringify({ names: [], code: error.code ?? error.name, message: error.message }))
    }`
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

test('plain .ts files run as they are: without package.json, and below one of any kind', async () => {
  const root = await folder({
    'a.ts': projection('alone'),
    'cjs/package.json': '{ "type": "commonjs" }',
    'cjs/b.ts': projection('below-commonjs'),
    'esm/package.json': '{ "type": "module" }',
    'esm/c.mts': projection('below-module'),
    'broken/package.json': '{}',
    'broken/d.ts': projection('below-empty'),
  })
  const { names, message } = await load([root, join(root, 'cjs'), join(root, 'esm'), join(root, 'broken', 'd.ts')])
  expect(message).toBe('')
  expect(names).toEqual(['alone.v1', 'below-commonjs.v1', 'below-empty.v1', 'below-module.v1'])
})

test("'tidemark' is the same module instance as the projector's own", async () => {
  const root = await folder({
    'same.ts': `
      import { defineProjection } from 'tidemark'
      import { defineProjection as own } from ${JSON.stringify(new URL('../shared/projection/index.ts', import.meta.url).href)}
      if (defineProjection !== own) throw new Error('two instances')
      ${projection('same').replace('defineProjection, ', '')}`,
  })
  expect(await load([root])).toMatchObject({ names: ['same.v1'], message: '' })
})

test('files import their neighbours; a re-exported projection is still one; tests, declarations and hidden files are left alone', async () => {
  const root = await folder({
    'one.ts': projection('one'),
    'index.mjs': "export { it as again } from './one.ts'\nexport default null\nexport const nothing = undefined",
    'one.test.ts': "throw new Error('a test was loaded')",
    'one.test-d.ts': "throw new Error('a type test was loaded')",
    'types.d.ts': 'export declare const x: never',
    '.hidden.ts': "throw new Error('a hidden file was loaded')",
    'node_modules/x.ts': "throw new Error('a dependency was loaded')",
    'notes.md': '',
  })
  expect(await load([root])).toMatchObject({ names: ['one.v1'], message: '' })
})

test('a mounted ConfigMap, whose files are links into a hidden folder, is loaded once', async () => {
  const root = await folder({ '..2026/a.ts': projection('mounted') })
  await symlink('..2026', join(root, '..data'))
  await symlink(join('..data', 'a.ts'), join(root, 'a.ts'))
  expect(await load([root])).toMatchObject({ names: ['mounted.v1'], message: '' })
})

test('every broken file is listed at once, with its line and what to do', async () => {
  const root = await folder({
    'enum.ts': "import 'tidemark'\n\nenum Colour { Red }\n",
    'syntax.ts': 'export const a = 1\nexport const b = {{\n',
    'throws.ts': "const x: number = 1\n\nthrow new Error('boom')\n",
    'throws-text.ts': "throw 'text'\n",
    'extension.ts': "import './topics'\n",
    'zod.ts': "import { z } from 'zod'\n",
    'export.ts': "import { Row } from 'tidemark'\n",
    'require.ts': "const { z } = require('tidemark')\n",
    'invalid.ts':
      "import { defineProjection } from 'tidemark'\nexport const it = defineProjection({ name: 'No' } as never)\n",
    'good.ts': projection('good'),
  })
  const { code, message } = await load([root])
  expect(code).toBe('PROJECTION_FILE_FAILED')
  expect(message).toContain("9 of the projections' files")
  for (const said of [
    /enum\.ts:3: .*has only to be erased|enum\.ts:3: .*enum/,
    /syntax\.ts:2: SyntaxError/,
    /throws\.ts:3: boom/,
    /throws-text\.ts: threw "text"/,
    /extension\.ts: .*need their ending/,
    /zod\.ts: .*import \{ z \} from 'tidemark'/,
    /export\.ts:1: .*import type/,
    /require\.ts:1: .*Write an ES module/,
    /invalid\.ts:2: [\s\S]*must be kebab-case/,
  ]) {
    expect(message).toMatch(said)
  }
  expect(message).not.toContain('good.ts')
})

test('a folder that is not there, and one without a projection, are faults', async () => {
  const root = await folder({ 'topics.ts': 'export const a = 1', 'empty/readme.md': '' })
  const { code, message } = await load([join(root, 'gone'), root, join(root, 'empty')])
  expect(code).toBe('PROJECTION_FILE_FAILED')
  expect(message).toContain('gone: there is no such file or folder')
  expect(message).toMatch(/exports no projection .* in .*topics\.ts/)
  expect(message).toMatch(/empty: exports no projection .*there is no \.ts/)
})

test('two projections of one name and version, two on one table, and a topic with two counts are refused, each with both files', async () => {
  const root = await folder({
    'a.ts': projection('twice', { view: 'first' }),
    'b.ts': projection('twice', { view: 'second' }),
    'c.ts': projection('one-view', { view: 'shared' }),
    'd.ts': projection('other-view', { view: 'shared' }),
    'e.ts': projection('few', { topic: 't', partitions: 6 }),
    'f.ts': projection('many', { topic: 't', partitions: 12 }),
  })
  const { code, message } = await load([root])
  expect(code).toBe('PROJECTION_INVALID')
  expect(message).toMatch(/projection twice\.v1 is in .*a\.ts and in .*b\.ts/)
  expect(message).toMatch(/table shared_v1 is in .*c\.ts and in .*d\.ts/)
  expect(message).toMatch(/topic t has 6 partitions in .*e\.ts and 12 in .*f\.ts/)
})

test('versions of one projection live side by side; the name alone is the newest', async () => {
  const root = await folder({
    'a.ts': projection('versions'),
    'b.ts': projection('versions', { version: 10 }),
    'c.ts': projection('versions', { version: 2 }),
  })
  expect((await load([root])).names).toEqual(['versions.v1', 'versions.v2', 'versions.v10'])
  expect((await load([root], { get: 'versions' })).names).toEqual(['versions.v10'])
  expect((await load([root], { get: 'versions.v2' })).names).toEqual(['versions.v2'])
})

test('an unknown name is answered with the nearest and the list', async () => {
  const root = await folder({ 'a.ts': projection('cart-summary'), 'b.ts': projection('meters') })
  const { code, message } = await load([root], { get: 'cart-sumary' })
  expect(code).toBe('PROJECTION_UNKNOWN')
  expect(message).toMatch(/did you mean cart-summary\? Known: cart-summary, meters/)
})

test('a file that ends the process is named, and the process fails', async () => {
  const root = await folder({ 'script.ts': 'process.exit(0)' })
  await expect(load([root])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/script\.ts ended the process while it was being loaded/),
  })
})
