import { registerHooks } from 'node:module'

/** What authors' files import by name. The same module instances as ours, so that a projection is one for both sides. */
const OWN: Readonly<Record<string, string>> = {
  tidemark: new URL('../shared/projection/index.ts', import.meta.url).href,
  'tidemark/spec': new URL('../shared/projection/spec.ts', import.meta.url).href,
}

let installed = false

/**
 * Lets plain `.ts` files run wherever they lie: `tidemark` is found without an installation, and a `.ts` file is an ES module
 * whatever the nearest package.json says, or if there is none. Installed once for the process; other imports are Node's own business.
 */
export function installModuleHooks(): void {
  if (installed) return
  installed = true
  registerHooks({
    resolve(specifier, context, next) {
      const own = OWN[specifier]
      if (own !== undefined) return { url: own, format: 'module-typescript', shortCircuit: true }
      const found = next(specifier, context)
      const authored =
        found.url.startsWith('file:') && found.url.endsWith('.ts') && !found.url.includes('/node_modules/')
      return authored ? { ...found, format: 'module-typescript' } : found
    },
  })
}
