import { readdir, realpath, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { listed, TidemarkError } from '../shared/errors.ts'
import { nearest } from '../shared/nearest.ts'
import { isProjection, type Projection, tableName, versionName } from '../shared/projection/projection.ts'
import { loadFailure } from './load-failure.ts'
import { installModuleHooks } from './module-hooks.ts'

/** Every projection that can be run. */
export interface Projections {
  /** By name, then version; no two have the same of both. */
  readonly all: readonly Projection[]
  /** `cart-summary` is its newest version, `cart-summary.v1` that one. Throws PROJECTION_UNKNOWN with the nearest name and the list. */
  get(name: string): Projection
  /** Every version of each name, `cart-summary.v1` that one; all there are where no name is given. Throws as `get` does. */
  named(names: readonly string[]): readonly Projection[]
}

const BUILTIN = fileURLToPath(new URL('./projections/', import.meta.url))

/**
 * Loads what `defineProjection` made in the built-in folder, where wanted, and in `paths`: files, or folders whose `.ts`, `.mts`,
 * `.js` and `.mjs` files are taken (not those of subfolders, hidden ones, tests and `.d.ts`).
 *
 * Throws PROJECTION_FILE_FAILED with all paths that are missing, empty of projections or broken, each with file and line, and
 * PROJECTION_INVALID where two projections can't live side by side. Nothing is left half loaded: it is all or an error.
 */
export async function loadProjections({
  builtin,
  paths = [],
}: {
  builtin: boolean
  paths?: readonly string[]
}): Promise<Projections> {
  installModuleHooks()
  const faults: string[] = []
  const found = new Map<Projection, string>()
  for (const path of builtin ? [BUILTIN, ...paths] : paths) {
    const files = await filesOf(resolve(path)).catch((error: NodeJS.ErrnoException) => {
      faults.push(`${path}: ${error.code === 'ENOENT' ? 'there is no such file or folder' : error.message}`)
    })
    if (!files) continue
    const before = faults.length
    let exported = 0
    for (const file of files) {
      try {
        const projections = Object.values(await loaded(file)).filter(isProjection)
        exported += projections.length
        for (const projection of projections) if (!found.has(projection)) found.set(projection, file)
      } catch (error) {
        faults.push(loadFailure(file, error))
      }
    }
    if (exported === 0 && faults.length === before)
      faults.push(
        `${path}: exports no projection (made with \`defineProjection\`) in ${files.length === 0 ? 'any file, since there is no .ts, .mts, .js or .mjs file' : files.join(', ')}`,
      )
  }
  if (faults.length > 0)
    throw new TidemarkError(
      'PROJECTION_FILE_FAILED',
      listed(`${faults.length} of the projections' files can't be used`, faults),
    )

  const clashes = clashesOf(found)
  if (clashes.length > 0)
    throw new TidemarkError('PROJECTION_INVALID', listed("projections can't live side by side", clashes))
  return catalogue(
    [...found.keys()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version - b.version)),
  )
}

/** The files of a folder by name, or the file itself. Links are followed: a mounted ConfigMap consists of them. */
async function filesOf(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [await realpath(path)]
  const names = (await readdir(path))
    .filter((name) => /\.m?[jt]s$/.test(name) && !/^\.|\.d\.m?ts$|\.(test|spec)(-d)?\.m?[jt]s$/.test(name))
    .sort()
  const files = await Promise.all(
    names.map(async (name) => ((await stat(join(path, name))).isFile() ? [await realpath(join(path, name))] : [])),
  )
  return [...new Set(files.flat())]
}

/** A file that awaits for ever must not keep a worker from saying why it does not start. */
const PATIENCE_MS = 10_000

async function loaded(file: string): Promise<Record<string, unknown>> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new Error(`has not finished loading after ${PATIENCE_MS / 1000} s: is there a top-level await?`)),
    PATIENCE_MS,
  )
  // A script that was put among the projections by mistake must not end the worker as if all were well.
  const ended = () => {
    process.exitCode = 1
    process.stderr.write(
      `PROJECTION_FILE_FAILED: ${file} ended the process while it was being loaded. It may only define.\n`,
    )
  }
  process.once('exit', ended)
  try {
    return await Promise.race([import(pathToFileURL(file).href), late])
  } finally {
    process.off('exit', ended)
    clearTimeout(timer)
  }
}

/** What would make two projections write to one place, or read one topic in two ways. */
function clashesOf(found: ReadonlyMap<Projection, string>): string[] {
  const clashes: string[] = []
  const seen = new Map<string, string>()
  const once = (what: string, file: string, remedy: string) => {
    const other = seen.get(what)
    if (other !== undefined)
      clashes.push(`${what} is in ${other === file ? `${file} twice` : `${other} and in ${file}`}: ${remedy}`)
    else seen.set(what, file)
  }
  const partitions = new Map<string, { count: number; file: string }>()
  for (const [projection, file] of found) {
    once(`projection ${versionName(projection)}`, file, 'give one another name, or a higher version')
    once(`table ${tableName(projection)}`, file, "give one projection's view another name")
    for (const { name, partitions: count } of projection.topics) {
      const other = partitions.get(name) ?? { count, file }
      partitions.set(name, other)
      if (other.count !== count)
        clashes.push(
          `topic ${name} has ${other.count} partitions in ${other.file} and ${count} in ${file}: a topic has one count`,
        )
    }
  }
  return clashes
}

function catalogue(all: readonly Projection[]): Projections {
  const names = new Map<string, Projection>()
  for (const projection of all) names.set(versionName(projection), projection).set(projection.name, projection)
  return {
    all,
    get,
    named(given) {
      if (given.length === 0) return all
      const versions = given.flatMap((name) => {
        const newest = get(name)
        return name === newest.name ? all.filter((one) => one.name === name) : [newest]
      })
      return [...new Set(versions)]
    },
  }

  function get(name: string): Projection {
    const projection = names.get(name)
    if (projection) return projection
    const meant = nearest(name, names.keys())
    const known = [...new Set(all.map((one) => one.name))].join(', ') || 'none'
    throw new TidemarkError(
      'PROJECTION_UNKNOWN',
      `there is no projection ${JSON.stringify(name)}${meant ? `: did you mean ${meant}?` : '.'} Known: ${known}.`,
    )
  }
}
