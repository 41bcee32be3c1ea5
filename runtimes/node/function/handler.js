'use strict'

// A function: answers each call with what it returns, or with context.status(…).headers(…).succeed(…).
module.exports = async (event, context) => {
  return context.status(200).succeed(`Hello from ${event.method} ${event.path}\n`)
}
