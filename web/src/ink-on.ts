/** Black or white: what can be read on a colour that somebody chose. */

/** WCAG's for text of any size. */
export const enoughContrast = 4.5

/** White where that can be read well, as on most colours that people get. @param color `#rgb` or `#rrggbb` */
export function inkOn(color: string): '#fff' | '#000' {
  return contrast(1, luminance(color)) >= enoughContrast ? '#fff' : '#000'
}

/** Of two luminances, by WCAG 2: from 1 to 21. */
export function contrast(one: number, other: number): number {
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)
}

/** From 0, black, to 1, white, by WCAG 2. */
export function luminance(color: string): number {
  const digits = color.slice(1).replace(/^(.)(.)(.)$/, '$1$1$2$2$3$3')
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map(at => {
    const share = Number.parseInt(digits.slice(at, at + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
