'use strict'

// Rolls a die.
const { randomInt } = require('node:crypto')
const express = require('express')

const app = express()
app.get('/', (request, response) => response.json({ rolled: randomInt(1, 7) }))
app.get('/ping', (request, response) => response.send('OK\n'))

const server = app.listen(3000)
// Kubernetes says goodbye: calls that run are finished, and for a moment new ones are still taken.
process.on('SIGTERM', () => setTimeout(() => {
  server.close(() => process.exit(0))
  server.closeIdleConnections()
}, 2000))
