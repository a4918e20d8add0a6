/** The version or versions that the dashboard's variables name. */
export const CHOSEN = 'namespace=~"$namespace", projection=~"$projection", version=~"$version"'
export const VERSION = '{{namespace}}/{{projection}} v{{version}}'
export const PARTITION = '{{topic}}/{{partition}}'

/** A recording rule's series of what is chosen. */
export function of(record: string): string {
  return `${record}{${CHOSEN}}`
}

/** Per second, over a window that fits the page's resolution. */
export function rate(metric: string, more = ''): string {
  return `rate(${metric}{${CHOSEN}${more && `, ${more}`}}[$__rate_interval])`
}

export function quantile(share: number, metric: string, by = ''): string {
  return `histogram_quantile(${share}, sum by (le${by && `, ${by}`}) (${rate(`${metric}_bucket`)}))`
}

export const byVersion = (expr: string) => `sum by (namespace, projection, version) (${expr})`
