import { rollbackReaders, type SwitchPorts, switchReaders } from './switch.ts'
import { type Output, paintFor } from './terminal.ts'

/** `tidemark switch NAME [VERSION]`. Returns the exit code, which is 0: what can't be done is thrown. */
export async function switchCommand(
  projection: string,
  version: number | undefined,
  ports: SwitchPorts,
  options: { readonly despiteLag?: boolean },
  output: Output,
): Promise<number> {
  const { before, after, lacking } = await switchReaders(projection, version, ports, options)
  if (before === after) output.write(`${projection}: readers see version ${after} already; nothing was changed\n`)
  else
    output.write(
      `${projection}: readers saw version ${before}, now see version ${after} (query processes within seconds). Back: tidemark rollback ${projection}\n`,
    )
  for (const what of lacking) output.write(`${paintFor(output)('yellow', `version ${after} lacks: ${what}`)}\n`)
  return 0
}

/** `tidemark rollback NAME`. Returns the exit code, which is 0: what can't be done is thrown. */
export async function rollbackCommand(projection: string, ports: SwitchPorts, output: Output): Promise<number> {
  const { before, after, lacking } = await rollbackReaders(projection, ports)
  if (before === after)
    output.write(
      `${projection}: readers are back at version ${after} already; nothing was changed. Forward again: tidemark switch ${projection} VERSION\n`,
    )
  else
    output.write(
      `${projection}: readers saw version ${before}, now see version ${after} again (query processes within seconds). Forward again: tidemark switch ${projection} ${before}\n`,
    )
  for (const what of lacking) output.write(`${paintFor(output)('yellow', `version ${after} lacks: ${what}`)}\n`)
  return 0
}
