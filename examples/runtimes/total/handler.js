'use strict'

// Adds up the numbers of a JSON list.
module.exports = async (event, context) => {
  if (!Array.isArray(event.body) || !event.body.every(Number.isFinite)) {
    return context.status(400).succeed('Send a JSON list of numbers\n')
  }
  return { total: event.body.reduce((sum, number) => sum + number, 0) }
}
