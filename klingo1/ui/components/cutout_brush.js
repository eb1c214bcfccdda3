const { t, sentences, h, icon, get, set, on, asFile, fileUrl, hold, announce } = window.klingo;
const $ = (selector) => element.querySelector(selector);
const room = element.closest('#k-brush');
const problem = $('.k-problem');
const PATIENCE = 60000;
let picture = null;
let opener = null;
let mask = null;
let busy = '';
let late = null;
let asked = 0;
/* Of the editor: when it came, at most how many milliseconds it takes to set up, whether it has drawn its picture. */
let began = 0;
const SET_UP = 12000;
let drawn = false;
room.setAttribute('role', 'dialog');
room.setAttribute('aria-modal', 'true');
room.setAttribute('aria-labelledby', 'k-brush-title');
room.setAttribute('aria-describedby', 'k-brush-lead');
$('.shut').append(icon('close'));

/* ---- open and close: the rest of the page rests meanwhile */
const others = () => [...room.parentElement.children].filter((node) => node !== room);
function open(index) {
  picture = (get('pictures') || [])[index];
  if (!picture) return;
  opener = document.activeElement;
  mask = picture.mask || null;
  for (const node of others()) node.inert = true;
  room.dataset.open = '';
  document.body.style.overflow = 'hidden'; // not a rule: Gradio makes its own container of a rule's body
  say('');
  choose('keep');
  widen();
  ask('show');
  $('.shut').focus();
}
function close() {
  if (!picture) return;
  delete room.dataset.open;
  document.body.style.overflow = '';
  for (const node of others()) node.inert = false;
  clearTimeout(late);
  busy = '';
  picture = null;
  leave();
  (opener && opener.isConnected ? opener : document.querySelector('#k-pictures [data-part=cut]') || document.querySelector('#k-pictures .grip'))?.focus();
}
/* An editor that is still being set up cannot be taken away yet: once it has its tools and has drawn its picture
   it looks for its own parts. */
function leave() {
  if (picture || !room.querySelector('#k-canvas')) return;
  drawn = drawn || fits() || performance.now() - began > SET_UP;
  if (drawn && room.querySelector('#k-canvas .toolbar-wrap')) setTimeout(() => { if (!picture) trigger('away'); }, 100); else setTimeout(leave, 200);
}
$('.shut').addEventListener('click', close);
document.addEventListener('keydown', (event) => {
  if (!picture) return;
  if (event.key === 'Escape') { event.preventDefault(); event.stopPropagation(); close(); }
  /* Nothing of the page behind answers to its keys. */
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); event.stopImmediatePropagation(); }
}, true);

/* ---- asking: one question at a time, with the answer told */
const DOING = { 'show': t`Looking at the picture…`, 'preview': t`Cutting it out…`, 'save': t`Saving…`, 'reset': t`Cutting it out…` };
function ask(act) {
  if (busy || !picture) return;
  busy = act;
  asked += 1;
  set('form', {});
  props.value = { index: (get('pictures') || []).indexOf(picture), mask, asked };
  problem.replaceChildren();
  say(DOING[act]);
  draw();
  trigger(act);
  clearTimeout(late);
  late = setTimeout(() => { busy = ''; say(''); refuse(t`The server did not answer.`, t`Try again.`); draw(); }, PATIENCE);
}
function say(text) { $('.state').textContent = text; }
function refuse(...texts) { problem.replaceChildren(h('span', {}, sentences(...texts))); }
function draw() {
  hold(element.querySelectorAll('.act'), Boolean(busy));
  room.toggleAttribute('data-busy', Boolean(busy));
}
watch('value', () => {
  const told = props.value || {};
  if (told.shown && !canvas()) { began = performance.now(); drawn = false; }
  if (!picture) leave();
  if (!told.turn || !picture) return;
  /* The answer to an earlier question has put its own picture under the brush. */
  if (told.turn !== asked) { if (told.shown) ask('show'); return; }
  if (!busy) return;
  clearTimeout(late);
  const act = busy;
  busy = '';
  draw();
  if (told.state === 'refused') { say(''); refuse(told.text, told.remedy); return; }
  if (told.shown && !canvas()) bridge(told.shown);
  mask = told.mask ? asFile(told.mask, 'mask.png', 'image/png') : null;
  if (told.state === 'saved') {
    set('cutSaved', { picture, mask });
    announce(t`The cut-out is saved.`);
    close();
    return;
  }
  if (told.state === 'reset') set('cutSaved', { picture, mask: null });
  say(!told.cut ? t`Nothing is left out: the picture is used whole.`
    : act === 'preview' ? t`This is how it will be cut out.` : t`This is how it is cut out.`);
});
element.querySelectorAll('.act').forEach((button) => button.addEventListener('click', () => ask(button.dataset.act)));

/* The editor begins with an empty sheet of its own size; with the picture, its zoom is the picture's. */
const MARGIN = 60;
function fits() {
  const zoom = parseFloat(room.querySelector('#k-canvas .zoom-number')?.textContent);
  const box = canvas()?.getBoundingClientRect();
  if (!zoom || !box || !still.naturalWidth) return false;
  const whole = 100 * Math.min((box.width - MARGIN) / still.naturalWidth, (box.height - MARGIN) / still.naturalHeight);
  return Math.abs(zoom - Math.min(100, whole)) < 1.5 || Math.abs(zoom - whole) < 1.5;
}
/* Until the editor has drawn the picture, which takes it a moment the first time, the picture itself stands there. */
const still = h('img', { class: 'still', alt: '', hidden: true });
room.append(still);
room.addEventListener('pointerdown', (event) => { if (canvas()?.contains(event.target)) still.hidden = true; }, true);
function bridge(path) {
  still.src = fileUrl(path);
  still.hidden = false;
  const look = () => {
    if (!picture || performance.now() - began > SET_UP) still.hidden = true;
    if (still.hidden) return;
    drawn = fits();
    if (drawn) setTimeout(() => { still.hidden = true; }, 300); else setTimeout(look, 100);
  };
  look();
}

/* ---- the brush */
const COLOURS = props.colours;
const WAYS = [['keep', t`Keep`], ['remove', t`Remove`]];
let way = 'keep';
const ways = WAYS.map(([name, title]) => h('button', { type: 'button', role: 'radio', dataset: { way: name }, onclick() { choose(name); } }, h('i', { style: `background:${COLOURS[name]}` }), title));
$('.ways').append(...ways);
$('.ways').addEventListener('keydown', (event) => {
  if (!['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'].includes(event.key)) return;
  event.preventDefault();
  choose(way === 'keep' ? 'remove' : 'keep');
  ways.find((button) => button.dataset.way === way).focus();
});
const size = $('.wide input');
size.value = String(props.size);
size.addEventListener('input', widen);
function choose(name) {
  way = name;
  for (const button of ways) { button.setAttribute('aria-checked', String(button.dataset.way === way)); button.tabIndex = button.dataset.way === way ? 0 : -1; }
  dip();
}
/* The colour by the editor's own swatch, which acts at once; they stand in a list that it opens first. */
function dip() {
  const swatches = () => room.querySelectorAll('#k-canvas .toolbar-wrap .swatch button');
  const press = () => { const swatch = swatches()[WAYS.findIndex(([name]) => name === way)]; if (swatch) swatch.click(); return Boolean(swatch); };
  if (press()) return;
  room.querySelector('#k-canvas .toolbar-wrap .right button')?.click();
  requestAnimationFrame(press);
}
function widen() {
  size.style.setProperty('--fill', `${((size.value - size.min) / (size.max - size.min)) * 100}%`);
  set('brushNow', { colors: [COLOURS.keep, COLOURS.remove], default_color: COLOURS[way], default_size: Number(size.value), color_mode: 'fixed' });
  if (canvas()) { trigger('brush'); setTimeout(dip, 0); }
}
/* The editor's own bar, which is hidden: pan, smaller, larger, back, forth, clear. */
const theirs = (place) => room.querySelector('#k-canvas .top-panel')?.querySelectorAll('button')[place];
for (const [name, title, at] of [['undo', t`Undo`, 3], ['redo', t`Redo`, 4], ['less', t`Zoom out`, 1], ['plus', t`Zoom in`, 2]]) {
  $('.steps').append(h('button', { type: 'button', 'aria-label': title, title, onclick() { theirs(at)?.click(); } }, icon(name)));
}

/* ---- without a pointer: a ring that arrow keys move over the picture */
const ring = h('i', { class: 'ring', 'aria-hidden': 'true' });
const aim = h('div', { class: 'aim', tabindex: '0', role: 'application', 'aria-label': t`Picture to paint on. Arrow keys move the brush, Space paints, K keeps, R removes.` }, ring);
let at = { x: 0, y: 0 };
let painting = false;
const canvas = () => room.querySelector('#k-canvas .pixi-target canvas');
function place() {
  const editor = room.querySelector('#k-canvas');
  if (editor && !editor.contains(aim)) editor.append(aim);
  editor?.querySelector('.image-container[aria-label]')?.removeAttribute('aria-label');
}
new MutationObserver(place).observe(room, { childList: true, subtree: true });
function point(kind, where, down) {
  const box = canvas().getBoundingClientRect();
  canvas().dispatchEvent(new PointerEvent(kind, { clientX: box.left + where.x, clientY: box.top + where.y, bubbles: true, pointerId: 1, pointerType: 'mouse', isPrimary: true, button: 0, buttons: down ? 1 : 0 }));
}
function paint(from, to) {
  point('pointermove', from, false);
  point('pointerdown', from, true);
  point('pointermove', to, true);
  point('pointerup', to, false);
}
function move(to) {
  const box = canvas().getBoundingClientRect();
  const next = { x: Math.max(0, Math.min(box.width, to.x)), y: Math.max(0, Math.min(box.height, to.y)) };
  if (painting) paint(at, next);
  at = next;
  ring.style.translate = `${at.x}px ${at.y}px`;
}
aim.addEventListener('focus', () => { const box = canvas()?.getBoundingClientRect(); if (box && !at.x && !at.y) move({ x: box.width / 2, y: box.height / 2 }); });
aim.addEventListener('blur', () => { painting = false; });
aim.addEventListener('keyup', (event) => { if (event.key === ' ') painting = false; });
aim.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !canvas()) return;
  const step = event.shiftKey ? 32 : 8;
  const way2 = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
  if (way2) move({ x: at.x + way2[0], y: at.y + way2[1] });
  else if (event.key === ' ') { if (!event.repeat) { painting = true; paint(at, { x: at.x + 1, y: at.y }); } }
  else if (event.key === 'k' || event.key === 'r') choose(event.key === 'k' ? 'keep' : 'remove');
  else return;
  event.preventDefault();
});
on('brush', (index) => { if (typeof index === 'number') open(index); });
