import { createRequire } from 'node:module'

/** The one version whose inside this room knows. kafkajs has been frozen since 2023, so this is no burden. */
export const KAFKAJS = '2.2.4'

const found: unknown = createRequire(import.meta.url)('kafkajs/package.json')
const version = typeof found === 'object' && found !== null && 'version' in found ? String(found.version) : 'unknown'

if (version !== KAFKAJS) {
  throw new Error(
    `shared/kafka is built on the inside of kafkajs ${KAFKAJS}, but ${version} is installed: run npm ci, or read shared/kafka/README.md before you change the version`,
  )
}
