/** Starts the page: reads from the address what to show. The canvas is a chunk of its own, loaded on boards only. */
import { lazy, StrictMode, Suspense } from 'react'
import { createRoot } from 'react-dom/client'
import './app.css'
import { Skeleton } from './board/skeleton.tsx'
import { HomePage } from './home/home-page.tsx'
import { NotFoundPage } from './home/not-found-page.tsx'
import { placeAt } from './places.ts'
import { keepSession } from './sign-in/session.ts'
import { takeTicket } from './sign-in/ticket.ts'

const BoardPage = lazy(() => import('./board/board-page.tsx'))

function App() {
  const place = placeAt(location.pathname)
  switch (place.kind) {
    case 'home':
      return <HomePage />
    case 'board':
      return (
        <Suspense fallback={<Skeleton />}>
          <BoardPage boardId={place.boardId} />
        </Suspense>
      )
    case 'nowhere':
      return <NotFoundPage />
    default:
      return place satisfies never
  }
}

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
const page = createRoot(root)
await takeTicket()
keepSession()
page.render(
  <StrictMode>
    <App />
  </StrictMode>,
)
