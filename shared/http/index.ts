export { faultOf, HttpFault } from './fault.ts'
export { type Reached, reachOnce } from './reached.ts'
export { serve } from './serve.ts'
export { createServer, describedOnly } from './server.ts'
