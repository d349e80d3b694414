/** Puts text on the clipboard, also where browsers allow the modern way to pages of https only. */

/**
 * Call at once when somebody presses something: Safari lets nobody copy later, but takes the promise of a text then.
 *
 * @throws where the browser refuses both ways, or the text is not to be had
 */
export async function copyText(text: Promise<string>): Promise<void> {
  if (navigator.clipboard && globalThis.ClipboardItem) {
    const type = 'text/plain'
    const bytes = text.then(given => new Blob([given], { type }))
    return navigator.clipboard.write([new ClipboardItem({ [type]: bytes })])
  }
  if (navigator.clipboard) return navigator.clipboard.writeText(await text)
  const field = document.createElement('textarea')
  field.value = await text
  field.style.position = 'fixed'
  field.style.opacity = '0'
  document.body.append(field)
  field.select()
  const copied = document.execCommand('copy')
  field.remove()
  if (!copied) throw new Error('the browser does not let this page copy')
}
