/** Why it does not go on, in words, over whatever was there; and what can be done with edits that nobody else has. */
import { mayIn } from '../sign-in/may.ts'
import { SignInForm } from '../sign-in/sign-in-form.tsx'
import { useSession } from '../sign-in/use-session.ts'
import type { Ending, YjsSync } from '../sync/index.ts'
import { downloadBoard } from './download-board.ts'
import { explain } from './explanation.ts'
import { RestoreBoard } from './restore-board.tsx'
import { reloadUnasked } from './use-leave-guard.ts'

export function EndingMessage({ sync, ending, boardId }: { sync: YjsSync; ending: Ending; boardId: string }) {
  const { title, text, action: wanted, savedOnce, orNever } = explain(ending, boardId)
  const may = mayIn(useSession())
  const action = wanted === 'restore' && !may('admin', boardId) ? 'home' : wanted
  const code = ending.kind === 'closed' ? ending.code : undefined
  const willBeSaved = savedOnce !== undefined && sync.keepsUnsaved
  const reload = () => (willBeSaved ? reloadUnasked() : location.reload())
  return (
    <div
      className="ending"
      role="alertdialog"
      aria-labelledby="ending-title"
      data-testid="closed-message"
      data-kind={ending.kind}
      data-code={code}
    >
      <div className="ending-card">
        <h1 id="ending-title">{title}</h1>
        <p>{text}</p>
        {sync.hasUnsaved && (
          <p>
            {willBeSaved
              ? `Edits you made here are kept in this browser, and are saved once ${savedOnce}.`
              : 'Edits you made here are not stored. You can keep them as a file that tldraw opens.'}
          </p>
        )}
        {ending.kind === 'closed' && (
          <p className="ending-reason">
            {ending.code}
            {ending.reason && ` · ${ending.reason}`}
          </p>
        )}
        {action === 'sign-in' && <SignInForm onSignedIn={reload} />}
        {action === 'restore' && <RestoreBoard boardId={boardId} onRestored={reload} />}
        {action === 'reload' && (savedOnce || !sync.hasUnsaved) && (
          <button type="button" onClick={reload}>
            Reload
          </button>
        )}
        {sync.hasUnsaved && (!willBeSaved || orNever) && (
          <>
            <button
              type="button"
              className={action === 'reload' ? undefined : 'ending-second'}
              onClick={() => downloadBoard(sync, boardId)}
            >
              Download my edits
            </button>
            <button type="button" className="ending-second" onClick={sync.discard}>
              Discard them
            </button>
          </>
        )}
        {!sync.hasUnsaved && action !== 'reload' && (
          <a href="/" className={action === 'home' ? undefined : 'ending-second'}>
            To the boards
          </a>
        )}
      </div>
    </div>
  )
}
