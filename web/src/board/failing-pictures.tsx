/** Says that pictures could not be uploaded yet; they are tried again by themselves, at once if asked to, or given up. */
import type { YjsSync } from '../sync/index.ts'

export function FailingPictures({ sync }: { sync: YjsSync }) {
  const { failingPictures: count, pictures, ending } = sync
  if (count === 0 || ending) return null
  return (
    <div className="notice" role="alert" data-testid="failing-pictures">
      <span>
        {count === 1 ? 'A picture is' : `${count} pictures are`} not on the server yet. This browser keeps trying.
      </span>
      <button type="button" className="link-button" onClick={() => pictures.retryNow()}>
        Try now
      </button>
      <button type="button" className="link-button" onClick={() => pictures.discard()}>
        Remove
      </button>
    </div>
  )
}
