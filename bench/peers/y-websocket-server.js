// @y/websocket-server as its own bin/server.js runs it; with YPERSISTENCE (a folder) it stores to LevelDB, as it does by itself.
import { createServer } from 'node:http'
import { setupWSConnection } from '@y/websocket-server/utils'
import { WebSocketServer } from 'ws'

const sockets = new WebSocketServer({ noServer: true })
sockets.on('connection', setupWSConnection)
const server = createServer((_request, response) => response.end('okay'))
server.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, accepted => sockets.emit('connection', accepted, request))
})
server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`))
