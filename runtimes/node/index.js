'use strict'

// Hands each request to function/handler.js, by the contract of OpenFaaS' templates for Node.js.

const http = require('node:http')

const PORT = 8080
const STILL_TAKING_MS = 2000
// What the server decides.
const OWN_FIELDS = ['content-length', 'transfer-encoding', 'connection']
const RAW_BODY = process.env.RAW_BODY === 'true'
const BODY_BYTES_MAXIMUM = bytes(process.env.MAX_RAW_SIZE, 32 << 20)
const JSON_BYTES_MAXIMUM = bytes(process.env.MAX_JSON_SIZE, BODY_BYTES_MAXIMUM)

/** A size as body-parser writes it: 100kb, 10mb, or a number of bytes. */
function bytes (text, absent) {
  const match = /^(\d+)\s*(b|kb|mb|gb)?$/i.exec((text ?? '').trim())
  if (!match) return absent
  return Number(match[1]) * { b: 1, kb: 1 << 10, mb: 1 << 20, gb: 1 << 30 }[(match[2] ?? 'b').toLowerCase()]
}

/** Something that is the caller's to put right. */
class Refusal extends Error {
  constructor (status, message) {
    super(message)
    this.status = status
  }
}

class FunctionEvent {
  constructor (request, path, query, body) {
    this.body = body
    this.headers = request.headers
    this.method = request.method
    this.path = path
    this.query = {}
    for (const [name, value] of new URLSearchParams(query)) {
      const known = Object.hasOwn(this.query, name) ? this.query[name] : undefined
      const all = known === undefined ? value : [].concat(known, value)
      // Not by assignment, which would give a parameter called __proto__ another meaning.
      Object.defineProperty(this.query, name, { value: all, enumerable: true, configurable: true, writable: true })
    }
  }
}

/** What a handler answers with; the first answer counts. */
class FunctionContext {
  constructor (done) {
    this.done = done
    this.value = 200
    this.fields = {}
    this.isDone = false
  }

  status (code) {
    if (code === undefined) return this.value
    this.value = code
    return this
  }

  headers (fields) {
    if (fields === undefined) return this.fields
    this.fields = fields
    return this
  }

  succeed (value) { this.finish(null, value) }

  fail (error) { this.finish(error ?? new Error('the function failed')) }

  finish (error, value) {
    if (this.isDone) return
    this.isDone = true
    this.done(error, value)
  }
}

async function read (request) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > BODY_BYTES_MAXIMUM) throw new Refusal(413, 'The body is too large\n')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parse (buffer, type) {
  if (RAW_BODY) return buffer
  const media = (type ?? 'text/plain').split(';')[0].trim().toLowerCase()
  if (media === 'application/json' || media.endsWith('+json')) {
    if (buffer.length > JSON_BYTES_MAXIMUM) throw new Refusal(413, 'The body is too large\n')
    if (buffer.length === 0) return {}
    try {
      return JSON.parse(buffer.toString())
    } catch {
      throw new Refusal(400, 'The body is not JSON\n')
    }
  }
  if (media === 'application/x-www-form-urlencoded') return Object.fromEntries(new URLSearchParams(buffer.toString()))
  return media.startsWith('text/') ? buffer.toString() : buffer
}

/** Sends an answer; a value decides its media type when no header does. */
function send (response, status, fields, value) {
  let [body, type] = [value, 'text/plain; charset=utf-8']
  if (body === undefined || body === null) {
    body = ''
  } else if (Buffer.isBuffer(body) || body instanceof Uint8Array) {
    [body, type] = [Buffer.from(body), 'application/octet-stream']
  } else if (typeof body === 'object') {
    [body, type] = [JSON.stringify(body), 'application/json']
  }
  const data = Buffer.isBuffer(body) ? body : Buffer.from(String(body))
  if (!(Number.isInteger(status) && status >= 200 && status <= 599)) throw new Error(`the status ${status} is none`)
  for (const [name, field] of Object.entries(fields ?? {})) {
    if (!OWN_FIELDS.includes(name.toLowerCase())) response.setHeader(name, field)
  }
  if (!response.hasHeader('content-type')) response.setHeader('Content-Type', type)
  if (isLeaving) response.setHeader('Connection', 'close')
  response.statusCode = status
  response.setHeader('Content-Length', data.length)
  response.end(response.req.method === 'HEAD' ? undefined : data)
}

/** Says that something went wrong: all of it to the log, and to the caller only what the function meant for it. */
function refuse (response, status, error) {
  if (status >= 500) console.error(error)
  if (response.headersSent) return response.destroy()
  for (const name of response.getHeaderNames()) response.removeHeader(name)
  const isMeant = typeof error === 'string' || error instanceof Refusal || status < 500
  send(response, status, {}, isMeant ? (error?.message ?? String(error)) : 'Internal Server Error\n')
}

async function answer (handler, request, response) {
  const [path, query] = request.url.split(/\?(.*)/s)
  if (path === '/_/health' || path === '/_/ready') return send(response, 200, {}, 'OK\n')
  const event = new FunctionEvent(request, path, query, parse(await read(request), request.headers['content-type']))
  await new Promise((resolve, reject) => {
    const context = new FunctionContext((error, value) => {
      try {
        if (error) refuse(response, context.value >= 400 ? context.value : 500, error)
        else send(response, context.value, context.fields, value)
        resolve()
      } catch (problem) {
        reject(problem)
      }
    })
    const callback = (error, value) => error ? context.fail(error) : context.succeed(value)
    // What is thrown is nobody's business but the log's, whatever status was set before.
    const thrown = error => reject(error instanceof Error ? error : new Error(String(error)))
    Promise.resolve()
      .then(() => handler(event, context, callback))
      // A handler with a callback may still be at work when it returns.
      .then(value => {
        if (value !== undefined || handler.length < 3) context.succeed(value === context ? undefined : value)
      })
      .catch(error => {
        context.isDone = true
        thrown(error)
      })
  })
}

let isLeaving = false

async function main () {
  const loaded = await import('./function/handler.js')
  const handler = [loaded.default, loaded.default?.default, loaded.handler].find(found => typeof found === 'function')
  if (!handler) throw new Error('handler.js exports no function')
  const server = http.createServer((request, response) => {
    answer(handler, request, response).catch(error => {
      try {
        refuse(response, error instanceof Refusal ? error.status : 500, error)
      } catch {
        response.destroy()
      }
    })
  })
  // Longer than the gateway keeps an idle connection, so that it is not closed under a call that is on its way.
  server.keepAliveTimeout = 180000
  server.requestTimeout = 0
  server.listen(PORT, () => console.log(`listening on port ${PORT}`))
  // Kubernetes says goodbye: calls that run are finished, and for a moment new ones are still taken, until every
  // gateway knows that this replica goes.
  process.on('SIGTERM', () => {
    isLeaving = true
    setTimeout(() => {
      server.close(() => process.exit(0))
      server.closeIdleConnections()
    }, STILL_TAKING_MS)
  })
}

main()
