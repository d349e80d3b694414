/** This user's own avatar: pressed, it lets them choose the name and colour that the others see. */
import { palette } from '../../../core/contract/colors.ts'
import { longestName, shownName } from '../../../core/contract/present-user.ts'
import { initials } from '../initials.ts'
import { inkOn } from '../ink-on.ts'
import { usePopup } from '../sharing/use-popup.ts'
import { useBoard } from './board-context.ts'

export function OwnAvatar() {
  const { user, onUser } = useBoard()
  const { isOpen, toggle, close, button, around } = usePopup<HTMLLIElement>()

  const rename = (name: string) => {
    const given = shownName(name)
    if (given !== '') onUser({ ...user, name: given })
  }

  return (
    <li
      {...around}
      // The canvas listens for keys everywhere: these are not for it.
      onKeyDown={event => {
        event.stopPropagation()
        // Browsers submit a form by Enter from its text field only, not from a colour.
        const isDone = event.key === 'Enter' && event.target instanceof HTMLInputElement
        if (!isDone) return
        event.preventDefault()
        close()
      }}
    >
      <button
        ref={button}
        type="button"
        className="avatar avatar-button"
        data-testid="presence-avatar"
        data-type="human"
        data-self={true}
        title={user.name}
        aria-label={`${user.name} (you): change name and colour`}
        aria-expanded={isOpen}
        style={{ backgroundColor: user.color, color: inkOn(user.color) }}
        onClick={toggle}
      >
        {initials(user.name)}
      </button>
      {isOpen && (
        <form className="own-card" data-testid="own-card" onSubmit={event => event.preventDefault()}>
          <label>
            Your name
            <input
              // biome-ignore lint/a11y/noAutofocus: the person has just asked for it
              autoFocus
              name="name"
              autoComplete="off"
              maxLength={longestName}
              defaultValue={user.name}
              onChange={event => rename(event.target.value)}
            />
          </label>
          <fieldset>
            <legend>Your colour</legend>
            {palette.map(color => (
              <label key={color} className="own-color" style={{ backgroundColor: color }}>
                <input
                  type="radio"
                  name="color"
                  aria-label={color}
                  checked={color === user.color}
                  onChange={() => onUser({ ...user, color })}
                />
              </label>
            ))}
          </fieldset>
        </form>
      )}
    </li>
  )
}
