/** A name as it stands in an avatar. */

export function initials(name: string): string {
  const words = name.split(/[\s_-]+/).filter(word => word !== '')
  return words
    .slice(0, 2)
    .map(word => [...word][0]?.toUpperCase() ?? '')
    .join('')
}
