// The least a server can do: each frame goes to everybody else on the board. No document, nothing stored, nobody checked.
import { WebSocketServer } from 'ws'

const boards = new Map()
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: 2 ** 28 })
server.on('connection', (socket, request) => {
  const board = boards.get(request.url) ?? new Set()
  boards.set(request.url, board.add(socket))
  socket.on('message', frame => {
    for (const other of board) if (other !== socket) other.send(frame)
  })
  socket.on('close', () => board.delete(socket))
  socket.on('error', error => console.error(error))
})
server.on('listening', () => console.log(`listening on ${server.address().port}`))
