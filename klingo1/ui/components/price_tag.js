const { t, sentences, h, get, set, on, money, currentPrice, missing, described, focusField, announce } = window.klingo;
const button = element.querySelector('.go');
const what = element.querySelector('.what');
const cost = element.querySelector('.price');
const list = element.querySelector('.missing');
const general = element.querySelector('.general');
const FIELDS = ['images', 'prompt', 'video', 'duration', 'aspect_ratio', 'keep_original_sound', 'key'];
let unanswered = null;
/* A hand that clicks twice means one job, also when the first click was answered in between. */
const CALM = 1500;
let calmUntil = 0;
let asked = '';
function asking() {
  const { file, url, keep_sound } = get('clip') || {};
  return JSON.stringify([...['engine', 'size', 'prompt', 'duration', 'aspect'].map(get), (get('pictures') || []).map(described), file && file.path, url, keep_sound]);
}

function draw() {
  const engine = get('engine') || 'draft';
  const sending = Boolean(get('sending'));
  const gaps = missing();
  what.textContent = sending ? t`Sending…` : engine === 'draft' ? t`Generate draft` : t`Generate`;
  cost.textContent = sending ? '' : ` · ${money(currentPrice())}`;
  button.setAttribute('aria-disabled', String(gaps.length > 0 || sending));
  button.classList.toggle('busy', sending);
  const text = gaps.map(([, sentence]) => sentence).join(' · ');
  if (list.textContent !== text) list.textContent = text;
  list.hidden = !text;
}
function tell() {
  const rest = (get('problems') || []).filter((p) => !FIELDS.includes(p.field.replace(/\[\d+\]$/, '')));
  general.replaceChildren(...rest.map((p) => h('span', {}, sentences(p.text, p.remedy))));
}
async function go() {
  if (get('sending') || (performance.now() < calmUntil && asked === asking())) return;
  const gaps = missing();
  if (gaps.length) {
    announce(gaps.map(([, sentence]) => sentence).join('. '));
    focusField(gaps[0][0]);
    return;
  }
  set('problems', []);
  set('sending', true);
  if (!(await window.klingo.standing())) { set('sending', false); focusField('images'); return; }
  set('form', {}); // every element says its value again: Gradio forgets what was set while the page was being built
  asked = asking();
  props.value = { quote: get('quote') || '', expected: currentPrice() };
  trigger('generate');
  clearTimeout(unanswered);
  /* The same quote goes along with the next click, so that a lost answer never makes a second job. */
  unanswered = setTimeout(() => {
    set('sending', false);
    set('problems', [{ field: '', text: t`The server has not answered yet.`, remedy: t`Click again: it stays one job. Your inputs are kept.` }]);
  }, 15000);
}
button.addEventListener('click', go);
/* Only where the button can be seen: not from the list's tab, nor through a dialog or the brush. */
const inReach = () => element.isConnected && element.checkVisibility() && !document.querySelector('dialog[open], #k-brush[data-open]');
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && inReach()) { event.preventDefault(); go(); }
});
/* The button stays in reach: while its place is below the window it floats at the window's edge. The place is
   as high as the button, so that nothing moves. The root has no upper end: a place above is no reason to float. */
const bar = element.querySelector('.bar'), place = element.closest('#k-generate');
new IntersectionObserver(
  (entries) => place.toggleAttribute('data-afloat', entries.at(-1).intersectionRatio < 1),
  { root: document, rootMargin: '1000000px 0px 1px', threshold: 1 },
).observe(place);
new ResizeObserver((entries) => { place.style.minHeight = `${entries.at(-1).contentRect.height}px`; }).observe(bar);
on('session', () => {
  clearTimeout(unanswered);
  if (get('sending') && !(get('problems') || []).length) calmUntil = performance.now() + CALM;
  set('sending', false);
  const first = (get('problems') || []).find((p) => p.field);
  if (first) focusField(first.field);
});
on(['engine', 'duration', 'clip', 'pictures', 'prompt', 'hasKey', 'uploading', 'sending', 'notes'], draw);
on('problems', tell);
draw();
