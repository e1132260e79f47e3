/**
 * Runs in a browser and names what somebody with a phone cannot read or press: a page that is wider than the screen, a
 * text that stands out of it and is not in a part that scrolls, a button whose text is cut, and a text in a column that is
 * too narrow for two characters.
 */
export const FAULTS_OF_PAGE = `(() => {
  const wide = document.documentElement.scrollWidth;
  const faults = wide > innerWidth ? ['the page is ' + wide + ' wide'] : [];
  const tell = (fault, element) => faults.push(fault + ': ' + element.outerHTML.slice(0, 160));
  for (const element of document.querySelectorAll('body *')) {
    const texts = [...element.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE);
    const text = texts.map(({ textContent }) => textContent.trim()).join('');
    const box = element.getBoundingClientRect();
    if (text === '' || box.width === 0 || element.matches('.unseen, .skip, option, script')) continue;
    const isScrolled = element.closest('.scroll, .wide, nav ul, pre, svg') !== null;
    if (!isScrolled && (box.right > innerWidth + 1 || box.left < -1)) tell('stands out', element);
    if (element.matches('button, .button') && element.scrollWidth > element.clientWidth + 1)
      tell('is cut', element);
    const rects = texts.flatMap((node) => {
      const range = document.createRange();
      range.selectNodeContents(node);
      return [...range.getClientRects()].filter(({ width }) => width > 0);
    });
    const lines = new Set(rects.map(({ top }) => Math.round(top))).size;
    if (text.length > 3 && lines > text.length / 2) tell('is squeezed into ' + lines + ' lines', element);
  }
  return faults;
})()`;
