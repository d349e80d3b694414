/** One board, opened by one page: its replica, the connection to the server, the store for tldraw, and what joins them. */
import { type Atom, atom, react, type Signal, unsafe__withoutCapture } from '@tldraw/state'
import type { TLStore } from '@tldraw/tlschema'
import type { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { announce } from './announce.ts'
import { BoardPictures } from './board-pictures.ts'
import { boardProvider, sendEdits } from './board-provider.ts'
import { type BoardState, type Ending, sameState } from './board-state.ts'
import { createBoardStore } from './board-store.ts'
import { boardDeleted, Connection } from './connection.ts'
import type { TokenSource } from './credential.ts'
import { EditRight } from './edit-right.ts'
import { KeptBoard } from './kept-board.ts'
import { SavedEdits } from './saved.ts'
import { hearServer, probe } from './server-messages.ts'
import { ShownBoard } from './shown-board.ts'
import { connectionStatus } from './status.ts'
import type { SyncUser } from './sync-user.ts'
import { whenAway } from './when-away.ts'
import { whenLeaving } from './when-leaving.ts'

export interface BoardAddress {
  boardId: string
  /** `wss://host` or `wss://host/boards` */
  wsUrl: string
  /** Read before each connection. */
  token: () => TokenSource
  /** Whether this browser keeps the board, so that edits made while the server is away outlive a reload. */
  cache: boolean
}

const begunAnew: Ending = { kind: 'begun-anew' }
const outdated: Ending = { kind: 'outdated' }

export class OpenBoard {
  readonly store: TLStore
  readonly provider: WebsocketProvider
  readonly pictures: BoardPictures
  readonly #doc = new Y.Doc()
  readonly #user: Atom<SyncUser>
  readonly #state: Atom<BoardState>
  readonly #right: EditRight
  readonly #connection: Connection
  readonly #saved: SavedEdits
  readonly #kept: KeptBoard
  readonly #shown: ShownBoard
  /** What ends with it. */
  readonly #watches: (() => void)[]
  #ending: Ending | undefined
  #isVerified = false
  #isStopped = false

  constructor({ boardId, wsUrl, token, cache }: BoardAddress, user: SyncUser) {
    const keptAs = cache ? keptName(wsUrl, boardId) : undefined
    this.#user = atom('user', user)
    this.provider = boardProvider(wsUrl, boardId, this.#doc)
    this.#right = new EditRight(this.provider)
    this.#connection = new Connection(this.provider, {
      token,
      onClosed: ({ code, reason }) => this.#end({ kind: 'closed', code, reason }),
      probe: () => probe(this.provider),
      onNetwork: this.#update,
    })
    this.#saved = new SavedEdits(this.#doc, () => {
      this.#kept.note()
      this.#update()
    })
    this.pictures = new BoardPictures({ boardId, wsUrl, token, keepAs: keptAs && `${keptAs} pictures` })
    this.#kept = new KeptBoard({ doc: this.#doc, saved: this.#saved, pictures: this.pictures })
    this.#shown = new ShownBoard({ mayEdit: () => !this.#right.mayOnlyRead, onChange: this.#update })
    this.#state = atom('board state', this.#readState(), { isEqual: sameState })
    this.store = createBoardStore({
      user: this.#user,
      state: this.#state,
      assets: this.pictures.assets,
      onMount: editor => this.#shown.noteEditor(editor),
    })
    this.#hearServer()
    this.#watches = [
      this.#watchPictures(),
      whenAway(this.provider, () => this.#showKept()),
      announce(this.store, this.provider.awareness, this.#user),
      whenLeaving(() => {
        this.#shown.flush()
        this.#kept.noteNow()
      }),
    ]
    void this.#begin(keptAs)
  }

  get state(): Signal<BoardState> {
    return this.#state
  }

  setUser(user: SyncUser): void {
    this.#user.set(user)
  }

  /** Forgets what this browser kept of the board, with all edits the server does not have. The page is of no use then. */
  async forget(): Promise<void> {
    await this.#kept.forget()
    this.#stop()
  }

  close(): void {
    this.#stop()
    this.#kept.close()
    this.#doc.destroy()
  }

  async #begin(keptAs: string | undefined): Promise<void> {
    const isWhole = await this.#kept.open(keptAs)
    if (!isWhole) this.#end(begunAnew)
    if (!this.#isStopped && !this.#ending) this.#connection.start()
    this.#update()
  }

  #hearServer(): void {
    const { provider } = this
    hearServer(provider, {
      onSync: message => {
        if (!this.#ending) this.#saved.receive(message)
        return !this.#ending
      },
      onStateVector: clocks => this.#verify(clocks),
      onDenied: () => {
        // What was drawn before is told to be refused; after this, nothing is written any more.
        this.#shown.flush()
        this.#right.refuse()
        this.#update()
      },
      onAllowed: () => {
        this.#right.allow()
        this.#shown.catchUp()
        this.#update()
      },
    })
    provider.on('status', this.#update)
    provider.on('sync', synced => {
      if (synced && !this.#ending) this.#show()
      if (synced) probe(provider)
      this.#update()
    })
  }

  /** Nothing is sent until the server has shown that this is still the board of which this browser kept some. */
  #verify(clocks: ReadonlyMap<number, number>): void {
    if (this.#isVerified) return
    this.#isVerified = this.#kept.isKnownTo(clocks)
    if (this.#isVerified) sendEdits(this.provider)
    else this.#end(begunAnew)
  }

  #watchPictures(): () => void {
    return react('count pictures', () => {
      this.pictures.counts.get()
      unsafe__withoutCapture(this.#update)
    })
  }

  /** The board is complete, or all of it that can be had for now. */
  #show(): void {
    if (this.#shown.isBound) return
    this.#shown.bind(this.store, this.#doc, this.provider.awareness)
    this.pictures.resume(this.store)
  }

  /** The server is away: what this browser kept is better than nothing, if it kept anything. */
  #showKept(): void {
    if (this.provider.synced || this.#ending || !this.#kept.heldBoard) return
    this.#show()
    this.#update()
  }

  /** For good. What is not saved stays here until this user decides what becomes of it. */
  #end(ending: Ending): void {
    this.#ending = ending
    this.#connection.stop()
    this.provider.disconnect()
    // A board that is gone is not kept, but for edits that nobody else has. One that could not be read is not gone.
    const isGone = ending.kind === 'closed' ? ending.code === boardDeleted : this.#kept.hasDocument
    if (this.#saved.hasUnsaved) this.#show()
    else if (isGone) void this.#kept.forget()
    this.#update()
  }

  #stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    for (const unwatch of this.#watches) unwatch()
    this.pictures.stop()
    this.#connection.stop()
    this.#shown.stop()
    this.#saved.stop()
    this.provider.destroy()
  }

  readonly #update = (): void => {
    if (!this.#isStopped) this.#state.set(this.#readState())
  }

  #readState(): BoardState {
    const { wsconnected: connected, synced } = this.provider
    const isInTouch = synced && !this.#connection.isInDoubt
    const { isBound: loaded, hasWaiting, isOutdated, setAside } = this.#shown
    const { waiting, failing: failingPictures } = this.pictures.counts.get()
    const { hasEdited } = this.#saved
    const hasUnsaved = this.#saved.hasUnsaved || waiting > 0 || hasWaiting
    const { mayOnlyRead } = this.#right
    return {
      connected,
      synced,
      loaded,
      status: connectionStatus({ loaded, synced: isInTouch, online: navigator.onLine, hasEdited, hasUnsaved }),
      hasUnsaved,
      keepsUnsaved: this.#kept.isKeepingAll,
      readOnly: mayOnlyRead || isOutdated || this.#ending !== undefined,
      mayOnlyRead,
      ending: this.#ending ?? (isOutdated ? outdated : undefined),
      failingPictures,
      setAside,
    }
  }
}

const keptName = (wsUrl: string, boardId: string) => `boardsync ${wsUrl.replace(/\/+$/, '')} ${boardId}`
