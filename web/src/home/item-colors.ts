/** The colours of items in small pictures, by the names that styles give them; readable on light and on dark. */

const colors: Record<string, string> = {
  black: 'var(--ink-soft)',
  grey: '#9aa4ae',
  'light-violet': '#d58bea',
  violet: '#a845c4',
  blue: '#4a6cf0',
  'light-blue': '#55a8f5',
  yellow: '#f2b84b',
  orange: '#e8752a',
  green: '#17976f',
  'light-green': '#56b96b',
  'light-red': '#f58080',
  red: '#e2403f',
  white: '#f3f4f6',
}

export const itemColor = (name = 'black'): string => colors[name] ?? 'var(--ink-soft)'

/** A sticky's black is no ink, but the paper it is written on. Much as tldraw has it. */
export const stickyColor = (name = 'black'): string =>
  name === 'black' ? 'light-dark(#fcd772, #4a4c52)' : itemColor(name)
