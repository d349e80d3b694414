/** What an address of ours that names nothing shows. */
import './home.css'

export function NotFoundPage() {
  return (
    <main className="home">
      <h1>Nothing here</h1>
      <p className="home-pitch">This address leads nowhere.</p>
      <a className="home-new" href="/">
        To the boards
      </a>
    </main>
  )
}
