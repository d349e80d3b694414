/** For elements that come in the place of the one that had the keyboard's focus, as their `ref`. */

/** Takes the focus if nothing else has it: somebody may have gone on elsewhere meanwhile. */
export function takeLostFocus(element: HTMLElement | null): void {
  if (document.activeElement === document.body) element?.focus()
}
