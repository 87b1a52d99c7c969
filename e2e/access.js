// What a page must be like for whoever cannot see it, cannot point, or does not see well. Evaluated in the page by access.go; gives a list of
// sentences, empty if all is well.
(touch) => {
  const wrong = [];
  const front = [...document.querySelectorAll('dialog:modal')].at(-1) ?? document.body;
  const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const all = (selector) => [...front.querySelectorAll(selector)].filter(shown);
  const told = (e) => {
    const words = [...e.classList].map((name) => `.${name}`).join('');
    return `<${e.localName}${words}> "${(e.ariaLabel ?? e.textContent).replace(/\s+/g, ' ').trim().slice(0, 40)}"`;
  };

  // Names
  const text = (e) => {
    if (e.nodeType === Node.TEXT_NODE) return e.data;
    if (e.nodeType !== Node.ELEMENT_NODE || e.ariaHidden === 'true' || e.hidden) return '';
    return e.ariaLabel ?? e.getAttribute('alt') ?? [...e.childNodes].map(text).join('');
  };
  const named = (e) => {
    const by = e.getAttribute('aria-labelledby')?.split(' ').map((id) => document.getElementById(id)).filter(Boolean) ?? [];
    return [e.ariaLabel, ...by.map(text), ...[...(e.labels ?? [])].map(text), text(e), e.title].some((name) => name?.trim());
  };
  const controls = all('button, a[href], input, textarea, select, summary, [role=button], [role=switch], [role=menuitem], [role=tab], [contenteditable=true]');
  for (const e of [...controls, ...all('dialog, [role=log], [role=dialog], [role=menu], [role=group], video, audio, iframe, nav ~ nav, [tabindex="0"]')]) {
    if (!named(e)) wrong.push(`${told(e)} has no name`);
  }
  for (const e of all('img, svg, canvas')) {
    const hidden = e.closest('[aria-hidden=true]') || (e.localName === 'img' && e.getAttribute('alt') === '');
    if (!hidden && !(e.ariaLabel ?? e.getAttribute('alt') ?? e.querySelector('title')?.textContent)) wrong.push(`${told(e)} is a picture without words, and not hidden`);
  }
  for (const e of front.querySelectorAll('[aria-hidden=true]')) {
    if ([...e.querySelectorAll('button, a[href], input, [tabindex="0"]')].some(shown)) wrong.push(`${told(e)} is hidden from screen readers with something in it that takes the focus`);
  }
  for (const name of ['aria-labelledby', 'aria-describedby', 'aria-controls']) {
    for (const e of front.querySelectorAll(`[${name}]`)) {
      for (const id of e.getAttribute(name).split(' ')) if (!document.getElementById(id)) wrong.push(`${told(e)} refers to ${id}, which is not there`);
    }
  }
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  for (const id of new Set(ids.filter((each, at) => ids.indexOf(each) !== at))) wrong.push(`the id ${id} is there twice`);

  // Contrast: each text against what is behind it, layer by layer; a glow drawn before an element counts at its strongest.
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const seen = new Map();
  const rgba = (colour) => {
    if (seen.has(colour)) return seen.get(colour);
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
    seen.set(colour, [r, g, b, a / 255]);
    return seen.get(colour);
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((c, i) => c * a + under[i] * (1 - a));
  const light = (c) => {
    const [r, g, b] = c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [hi, lo] = [light(a), light(b)].sort((x, y) => y - x);
    return (hi + 0.05) / (lo + 0.05);
  };
  const behind = (e, glow) => {
    const layers = [];
    for (let at = e; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (glow) {
        const image = getComputedStyle(at, '::before').backgroundImage;
        const first = /(?:rgba?|oklab|oklch|color|hsla?)\([^()]*\)|#[0-9a-f]{3,8}/i.exec(image === 'none' ? '' : image)?.[0];
        if (first) layers.push(rgba(first));
      }
      const colour = rgba(style.backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
      if (at.matches('dialog, [popover]')) break;
    }
    const page = rgba(getComputedStyle(document.documentElement).backgroundColor);
    return layers.reverse().reduce((under, layer) => over(layer, under), page.slice(0, 3));
  };
  const fades = (e) => {
    let opacity = 1;
    for (let at = e; at; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
    return opacity;
  };
  const check = (e, style, words) => {
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    for (const glow of [false, true]) {
      const under = behind(e, glow);
      const [r, g, b, a] = rgba(style.color);
      const got = ratio(over([r, g, b, a * fades(e)], under), under);
      if (got < needed - 0.01) {
        wrong.push(`contrast of ${words} in ${told(e)} is ${got.toFixed(2)}, want ${needed}`);
        return;
      }
    }
  };
  const walk = document.createTreeWalker(front, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const e = node.parentElement;
    if (!node.data.trim() || !shown(e) || e.closest('noscript, script, style, .spoken, :disabled, [data-away] .tile')) continue;
    check(e, getComputedStyle(e), `"${node.data.trim().slice(0, 30)}"`);
  }
  for (const e of all('input:not([type=checkbox]):not([type=radio]):not([type=file]), textarea')) {
    check(e, getComputedStyle(e), 'what is typed');
    if (e.placeholder) check(e, { ...Object.fromEntries(['fontSize', 'fontWeight'].map((k) => [k, getComputedStyle(e)[k]])), color: getComputedStyle(e, '::placeholder').color }, 'the placeholder');
  }

  // Targets: as far as a pointer finds them, with what belongs to them.
  const least = touch ? 44 : 24;
  const inText = (e) => e.localName === 'a' && getComputedStyle(e).display === 'inline';
  for (const e of controls) {
    if (inText(e) || e.disabled || e.type === 'file' || e.closest('.spoken')) continue;
    e.scrollIntoView({ block: 'center', inline: 'nearest', behavior: 'instant' });
    const { left, top, width, height } = e.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    const mine = (px, py) => {
      const hit = document.elementFromPoint(px, py);
      return hit !== null && (e.contains(hit) || [...(e.labels ?? [])].some((label) => label.contains(hit)));
    };
    if (!mine(x, y)) {
      wrong.push(`${told(e)} is covered by ${told(document.elementFromPoint(x, y) ?? document.body)}`);
      continue;
    }
    const reach = (dx, dy) => {
      let far = 0;
      while (far < least && mine(x + dx * (far + 1), y + dy * (far + 1))) far++;
      return far;
    };
    const [wide, high] = [reach(-1, 0) + reach(1, 0) + 1, reach(0, -1) + reach(0, 1) + 1];
    if (wide < least - 1 || high < least - 1) wrong.push(`${told(e)} is a target of ${wide} by ${high} px, want ${least}`);
  }
  return wrong;
}
