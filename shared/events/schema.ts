/**
 * What Tidemark needs of a validator: the synchronous half of the Standard Schema interface, version 1,
 * which zod, valibot, arktype and others provide. See standardschema.dev.
 */
export interface Schema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** The TypeScript type of what a schema takes: the data as producers write it. */
export type Input<S extends Schema> = NonNullable<S['~standard']['types']>['input']

/** The TypeScript type of what a schema lets through: the data as handlers see it. */
export type Output<S extends Schema> = NonNullable<S['~standard']['types']>['output']

/** Says where and why, for people: `quantity: expected number; items.0.sku: required`. */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  return issues
    .slice(0, 10)
    .map(({ message, path = [] }) => {
      const where = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
      return where ? `${where}: ${message}` : message
    })
    .join('; ')
}
