const { t, said, facts, h, get, set, on, draft, clearProblems, showProblems, announce, pictureCount } = window.klingo;
const area = element.querySelector('textarea');
const count = element.querySelector('.count');
const note = element.querySelector('.note');
const menu = element.querySelector('.mentions');
const chipBar = element.querySelector('.chips');
const PHRASES = [
  [t`Push in`, t`slow push-in`], [t`Orbit`, t`camera orbits the subject`], [t`Tracking`, t`tracking shot`],
  [t`Golden hour`, t`golden hour light`], [t`Neon night`, t`neon lights at night`], [t`Rain`, t`light rain`], [t`Slow motion`, t`slow motion`],
];
area.placeholder = said(facts.examplePrompt);
const MENTION = /(?<![A-Za-z0-9_%+\-\u00c0-\u024f@＠])[@＠]image[ \u00a0]?([1-9][0-9]{0,2}|\?)(?![A-Za-z0-9_])/gi;

let lastNamed = '';
function take(text, { keepCaret = false } = {}) {
  const value = typeof text === 'string' ? text : '';
  if (area.value !== value) {
    const caret = area.selectionStart;
    area.value = value;
    if (keepCaret) area.setSelectionRange(Math.min(caret, value.length), Math.min(caret, value.length));
  }
  if (props.value !== value) props.value = value;
  set('prompt', value);
  draw();
  listen();
}
function draw() {
  const length = Array.from(area.value).length;
  const left = facts.promptMax - length;
  count.textContent = left < 0 ? t`${(-left).toLocaleString('en-US')} too many` : left <= 250 ? t`${left.toLocaleString('en-US')} left` : `${length.toLocaleString('en-US')} / ${facts.promptMax.toLocaleString('en-US')}`;
  count.classList.toggle('near', left <= 250 && left >= 0);
  count.classList.toggle('over', left < 0);
  area.setAttribute('aria-invalid', String(left < 0 || Boolean(element.querySelector('.k-problem').childNodes.length)));
  for (const chip of chipBar.children) chip.setAttribute('aria-pressed', String(holds(chip.dataset.phrase)));
  const pictures = get('pictures') || [];
  const digits = [...area.value.matchAll(MENTION)].map((m) => m[1]);
  const named = new Set(digits.map(Number).filter((n) => n <= pictures.length));
  const told = JSON.stringify([...named].sort());
  if (told !== lastNamed) { lastNamed = told; set('named', [...named]); }
  const orphans = digits.filter((d) => d === '?' || Number(d) > pictures.length);
  note.textContent = orphans.length ? t`@Image${orphans[0]} means no picture: add one, or take the mention out.`
    : named.size && pictures.length > named.size ? t`Not mentioned: ${pictureCount(pictures.length - named.size)} (${pictures.map((_, i) => i + 1).filter((n) => !named.has(n)).map((n) => '@Image' + n).join(', ')}).` : '';
  note.hidden = !note.textContent;
  note.classList.toggle('warn', orphans.length > 0);
}
/* Writes through the browser's own editing, so that undo works; falls back to plain assignment. */
function replace(from, to, text) {
  area.focus();
  area.setSelectionRange(from, to);
  const done = text ? document.execCommand('insertText', false, text) : from === to || document.execCommand('delete');
  if (!done) area.setRangeText(text, from, to, 'end');
  take(area.value);
}
const phraseAt = (phrase) => area.value.toLowerCase().indexOf(phrase.toLowerCase());
const holds = (phrase) => phraseAt(phrase) >= 0;
for (const [name, phrase] of PHRASES) {
  chipBar.append(h('button', { type: 'button', 'aria-pressed': 'false', dataset: { phrase }, title: t`Adds “${phrase}”`, onclick() {
    const at = phraseAt(phrase);
    if (at >= 0) {
      const before = area.value.slice(0, at).replace(/[,;，；]?\s*$/, '');
      const lead = at - before.length;
      const after = area.value.slice(at + phrase.length);
      const trail = before === '' ? (after.match(/^\s*[,;，；]?\s*/) || [''])[0].length : 0;
      replace(at - lead, at + phrase.length + trail, '');
    } else {
      const text = area.value.replace(/\s+$/, '');
      const glue = !text || /[，；。！？]$/.test(text) ? '' : /[,;.!?]$/.test(text) ? ' ' : t`, `;
      replace(text.length, area.value.length, glue + phrase);
    }
    this.focus();
  } }, name));
}

/* ---- what the draft engine makes of it, asked when the typing pauses */
const line = element.querySelector('.k-reading');
let wait = null;
let asked = '';
/* Who plays, as long as it is told of these very pictures. */
function cast() {
  const told = get('cast') || {};
  return JSON.stringify(told.paths) === JSON.stringify((get('pictures') || []).map((picture) => picture.file.path)) ? told.cast : [];
}
function listen() {
  const question = { prompt: area.value, cast: cast(), duration: get('duration') || facts.durationDefault, aspect: get('aspect') || facts.aspectDefault };
  const key = JSON.stringify(question);
  if (key === asked) return;
  clearTimeout(wait);
  if (!area.value.trim()) { asked = key; window.klingo.reading(line, null); return; }
  wait = setTimeout(async () => {
    asked = key;
    let answer;
    try { answer = await server.understand(question); } catch { answer = undefined; }
    if (asked !== key) return;
    if (answer) window.klingo.reading(line, answer, t`Draft reads`); else asked = '';
  }, 250);
}

/* ---- mentions */
let chosen = 0;
let start = -1;
const options = () => [...menu.querySelectorAll('[role=option]')];
function close() {
  menu.hidden = true;
  start = -1;
  area.removeAttribute('aria-activedescendant');
}
function mark(index) {
  const all = options();
  if (!all.length) { area.removeAttribute('aria-activedescendant'); return; }
  chosen = (index + all.length) % all.length;
  all.forEach((option, i) => option.setAttribute('aria-selected', String(i === chosen)));
  area.setAttribute('aria-activedescendant', all[chosen].id);
  all[chosen].scrollIntoView({ block: 'nearest' });
}
/* A space follows the mention, unless one is there; who types it nevertheless gets one, not two. */
let spaced = -1;
function choose(number) {
  const space = /^\s/.test(area.value.slice(area.selectionStart)) ? '' : ' ';
  replace(start, area.selectionStart, `@Image${number}${space}`);
  spaced = space ? area.selectionStart : -1;
  close();
}
function suggest() {
  const head = area.value.slice(0, area.selectionStart);
  const typed = head.match(/(?<![A-Za-z0-9_%+\-\u00c0-\u024f@＠])[@＠](\w{0,20})$/);
  if (!typed) { close(); return; }
  start = head.length - typed[1].length - 1;
  const wanted = typed[1].toLowerCase();
  const pictures = (get('pictures') || []).map((p, i) => ({ p, n: i + 1 }))
    .filter(({ p, n }) => `image${n}`.startsWith(wanted) || String(n) === wanted || (p.role || '').startsWith(wanted) || (p.file.orig_name || '').toLowerCase().startsWith(wanted));
  menu.replaceChildren(...(pictures.length ? pictures.map(({ p, n }, i) => h('li', { role: 'option', id: `k-mention-${n}`, 'aria-selected': String(i === 0), onpointerdown(event) { event.preventDefault(); choose(n); } },
    h('img', { src: p.file.url, alt: '' }), h('b', {}, `@Image${n}`), h('span', {}, (p.role !== 'guess' && said(p.role)) || p.file.orig_name || ''))) : [h('li', { role: 'option', 'aria-disabled': 'true', 'aria-selected': 'false', class: 'none' }, (get('pictures') || []).length ? t`No matches` : t`Add pictures first`)]));
  menu.hidden = false;
  menu.scrollIntoView({ block: 'nearest' });
  mark(0);
}
area.addEventListener('keydown', (event) => {
  if (event.key === ' ' && area.selectionStart === spaced && area.selectionEnd === spaced) event.preventDefault();
  spaced = -1;
  if (menu.hidden || event.isComposing) return;
  if (event.key === 'Escape') { event.preventDefault(); close(); return; }
  if (event.ctrlKey || event.metaKey) return;
  const usable = !menu.querySelector('.none');
  if (event.key === 'ArrowDown' && usable) { event.preventDefault(); mark(chosen + 1); }
  else if (event.key === 'ArrowUp' && usable) { event.preventDefault(); mark(chosen - 1); }
  else if ((event.key === 'Enter' || event.key === 'Tab') && usable) { event.preventDefault(); choose(Number(options()[chosen].id.split('-').pop())); }
});
/* Not where the window alone was left, or the text is typed in again by then. */
area.addEventListener('blur', () => setTimeout(() => { if (document.activeElement !== area) close(); }, 120));
area.addEventListener('input', () => { clearProblems('prompt'); take(area.value); suggest(); });

/* Pictures moved or left: every mention keeps its picture; one whose picture is gone is flagged as an orphan. */
on('moved', (mapping) => {
  if (!mapping) return;
  const text = area.value.replace(MENTION, (whole, digit) => {
    const to = mapping[Number(digit)];
    return to === undefined ? whole : whole.slice(0, -digit.length) + (to === null ? '?' : to);
  });
  if (text !== area.value) { take(text, { keepCaret: true }); announce(t`The prompt was renumbered.`); }
});
on('form', () => { props.value = area.value; });
on('pictures', draw);
on(['duration', 'aspect', 'cast', 'pictures'], () => listen());
on('take:prompt', (value) => { if (value !== undefined) take(value); });
on('problems', () => { showProblems(element.querySelector('.k-problem'), 'prompt'); draw(); });
take(draft.prompt ?? props.value);
