const { t, said, sentences, facts, h, icon, get, set, on, draft, announce, clearProblems, showProblems, hasVideo, notesOf, asFile, pictureCount } = window.klingo;
const TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif'];
const ROLE_NAMES = { '': t`Guess`, character: t`Character`, prop: t`Prop`, scene: t`Scene`, style: t`Style` };
const VIEW_NAMES = { '': t`View: guess`, front: t`Front`, side: t`Side`, back: t`Back`, left: t`Facing left`, right: t`Facing right` };
const tiles = element.querySelector('.tiles');
const panel = element.querySelector('.panel');
const refused = element.querySelector('.refused');
const count = element.querySelector('.count');
const chooser = element.querySelector('.files');
const problem = element.querySelector('.k-problem');
let pictures = [];
let pending = [];
let open = null;
let serial = 0;
const most = () => (hasVideo() ? facts.imagesMaxWithVideo : facts.imagesMax);
/* What the server says of a picture, and whether a prompt that names pictures leaves it out. */
function remarksOf(picture) {
  const named = get('named') || [];
  const left = named.length && !named.includes(pictures.indexOf(picture) + 1);
  return left ? notesOf(picture).concat({ kind: 'unnamed', text: t`It is not mentioned in the prompt; the others are.` }) : notesOf(picture);
}
const nameOf = (picture) => picture.file.orig_name || t`picture`;

/* ---- the list and everything that follows from it */
/* `renamed` is [old, new]: a picture in another's place keeps its mentions. */
function commit(next, { quiet = false, renamed = [] } = {}) {
  const before = pictures;
  pictures = next;
  const mapping = {};
  before.forEach((picture, i) => { const at = next.indexOf(picture === renamed[0] ? renamed[1] : picture); mapping[i + 1] = at < 0 ? null : at + 1; });
  props.value = next.map(({ file, role, view, mask, group }) => ({ file, role, view: view || '', mask: mask || null, group: group || 0 }));
  set('pictures', next);
  if (!quiet && Object.entries(mapping).some(([from, to]) => Number(from) !== to)) set('moved', mapping);
  clearProblems('images');
  if (!quiet) trigger('changed');
  draw();
}
function move(index, to, focus = true) {
  if (to < 0 || to >= pictures.length || to === index) return;
  const next = pictures.slice();
  const [picture] = next.splice(index, 1);
  next.splice(to, 0, picture);
  commit(next);
  announce(t`Picture moved to place ${to + 1} of ${next.length}.`);
  if (focus) grip(to)?.focus();
}
function remove(index) {
  const gone = pictures[index];
  if (open === gone) open = null;
  const left = pictures.filter((p) => p !== gone);
  ungroup(left, gone.group);
  commit(left);
  announce(t`${nameOf(gone)} removed. ${pictures.length} left.`);
  (grip(Math.min(index, pictures.length - 1)) || element.querySelector('.add'))?.focus();
}
/* A subject that a person named in one picture only says nothing. */
function ungroup(list, group) {
  const kin = list.filter((p) => group && p.group === group);
  if (kin.length === 1) kin[0].group = 0;
}
const firstOf = (picture) => (picture.group ? pictures.findIndex((p) => p.group === picture.group) : -1);
const grip = (index) => tiles.querySelectorAll('.grip')[index];

/* ---- drawing: tiles are kept by key, so that focus and loaded pictures stay */
function tileOf(picture) {
  picture.key ||= `p${serial += 1}`;
  let tile = tiles.querySelector(`[data-key="${picture.key}"]`);
  if (!tile) {
    const img = h('img', { src: picture.file.url, alt: '', draggable: 'false', onerror() { if (!picture.blob) lost(picture); }, onload() { picture.width = img.naturalWidth; picture.height = img.naturalHeight; } });
    tile = h('li', { class: 'tile', dataset: { key: picture.key } },
      h('button', { type: 'button', class: 'grip' }, img), h('span', { class: 'number', 'aria-hidden': 'true' }), h('span', { class: 'flag', 'aria-hidden': 'true' }), h('span', { class: 'kin', 'aria-hidden': 'true' }),
      h('button', { type: 'button', class: 'drop-it' }, icon('close')));
    tile.querySelector('.grip').addEventListener('click', () => { if (!dragged) toggle(picture); });
    tile.querySelector('.grip').addEventListener('keydown', (event) => {
      const index = pictures.indexOf(picture);
      const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (step) { event.preventDefault(); move(index, index + step); }
      if (event.key === 'Home') { event.preventDefault(); move(index, 0); }
      if (event.key === 'End') { event.preventDefault(); move(index, pictures.length - 1); }
      if (event.key === 'Delete' || event.key === 'Backspace') { event.preventDefault(); remove(index); }
      if (event.key === 'Escape' && open) { event.preventDefault(); toggle(open); }
    });
    tile.querySelector('.drop-it').addEventListener('click', () => remove(pictures.indexOf(picture)));
  }
  return tile;
}
function lost(picture) {
  if (!pictures.includes(picture) || (picture.blob && !navigator.onLine)) return;
  complain(nameOf(picture), t`is no longer on the server. Add it again.`);
  commit(pictures.filter((p) => p !== picture));
}
function draw() {
  const held = document.activeElement && tiles.contains(document.activeElement) ? document.activeElement : null;
  const total = pictures.length;
  const nodes = pictures.map((picture, i) => {
    const tile = tileOf(picture);
    const notes = remarksOf(picture);
    const bad = notes.some((n) => n.kind === 'refused') || get('problems')?.some((p) => p.field === `images[${i}]`);
    tile.classList.toggle('bad', Boolean(bad));
    tile.classList.toggle('noted', !bad && notes.length > 0);
    tile.classList.toggle('open', open === picture);
    tile.querySelector('.number').textContent = String(i + 1);
    tile.querySelector('.flag').textContent = bad ? '!' : notes.length ? 'i' : '';
    const first = firstOf(picture);
    tile.querySelector('.kin').textContent = first >= 0 && first < i ? `= ${first + 1}` : '';
    const remark = bad ? t`, refused` : notes.length ? t`, ${notes.length} notes` : '';
    tile.querySelector('.grip').setAttribute('aria-label', t`Picture ${i + 1} of ${total}: ${nameOf(picture)}${remark}. Arrow keys move it, Delete removes it, Enter opens it.`);
    tile.querySelector('.grip').setAttribute('aria-expanded', String(open === picture));
    tile.querySelector('.drop-it').setAttribute('aria-label', t`Remove picture ${i + 1}`);
    return tile;
  });
  for (const wait of pending) nodes.push(wait.tile);
  const slots = total + pending.length;
  if (slots < most()) {
    const first = slots === 0;
    const add = tiles.querySelector('.add') || h('button', { type: 'button', class: 'add', onclick() { chooser.click(); } }, icon('plus'), h('span', { class: 'lead' }), h('span', { class: 'hint' }));
    add.querySelector('.lead').textContent = first ? t`Add one to seven pictures` : '';
    add.querySelector('.hint').textContent = first ? t`A character, a prop, a scene. Drop, paste or choose.` : '';
    if (first) add.removeAttribute('aria-label'); else add.setAttribute('aria-label', t`Add pictures`);
    nodes.push(add.parentElement && add.parentElement.classList.contains('slot') ? add.parentElement : h('li', { class: 'slot' }, add));
  }
  tiles.classList.toggle('empty', slots === 0);
  tiles.style.setProperty('--columns', String(Math.max(4, Math.min(7, slots + (slots < most() ? 1 : 0)))));
  const old = [...tiles.children];
  if (old.length !== nodes.length || old.some((node, i) => node !== nodes[i])) tiles.replaceChildren(...nodes);
  if (held && held.isConnected && document.activeElement !== held) held.focus();
  count.textContent = slots ? t`${slots} of ${most()}` : '';
  count.classList.toggle('over', slots > most());
  drawPanel();
}
function toggle(picture) {
  open = open === picture ? null : picture;
  draw();
}
function drawPanel() {
  const index = pictures.indexOf(open);
  panel.hidden = index < 0;
  if (index < 0) { panel.replaceChildren(); return; }
  const focused = panel.contains(document.activeElement) ? document.activeElement.dataset.part : null;
  const notes = remarksOf(open);
  const roles = h('div', { class: 'roles', role: 'group', 'aria-label': t`Role of picture ${index + 1}` },
    ...['', ...facts.roles].map((role) => h('button', { type: 'button', 'aria-pressed': String((open.role === 'guess' ? '' : open.role || '') === role), dataset: { part: `role-${role}` }, onclick() {
      const next = pictures.slice();
      open.role = role || (open.role ? 'guess' : '');
      commit(next);
    } }, ROLE_NAMES[role] || role)));
  const view = h('select', { class: 'view', 'aria-label': t`View of picture ${index + 1}`, dataset: { part: 'view' }, onchange() {
    const next = pictures.slice();
    open.view = this.value || (open.view ? 'guess' : '');
    commit(next);
  } }, ...Object.entries(VIEW_NAMES).map(([value, name]) => h('option', { value }, name)));
  view.value = open.view === 'guess' ? '' : open.view || '';
  roles.append(view);
  const kin = pictures.length > 1 ? kinOf(index) : null;
  const scene = open.role === 'scene' || open.role === 'style';
  const cut = h('button', { type: 'button', class: 'cut', disabled: scene || !open.file.path, dataset: { part: 'cut' }, onclick() { set('brush', null); set('brush', index); } }, icon('cut'), open.mask ? t`Cut-out corrected` : t`Correct the cut-out`);
  panel.replaceChildren(
    h('div', { class: 'line' }, h('b', {}, `@Image${index + 1}`), h('span', { class: 'name' }, nameOf(open)), open.width ? h('span', { class: 'size' }, `${open.width} × ${open.height}`) : null,
      h('span', { class: 'moves' },
        h('button', { type: 'button', 'aria-label': t`Move picture ${index + 1} earlier`, disabled: index === 0, dataset: { part: 'left' }, onclick() { move(index, index - 1, false); } }, icon('left')),
        h('button', { type: 'button', 'aria-label': t`Move picture ${index + 1} later`, disabled: index === pictures.length - 1, dataset: { part: 'right' }, onclick() { move(index, index + 1, false); } }, icon('right')))),
    roles,
    h('div', { class: 'roles' }, kin, cut),
    ...notes.map((n) => h('p', { class: n.kind === 'refused' ? 'remark bad' : 'remark' }, sentences(n.text, n.remedy),
      n.kind === 'ratio' ? h('button', { type: 'button', class: 'fit', dataset: { part: 'fit' }, onclick() { mend(open); } }, t`Crop or add borders`) : null)));
  if (focused) (panel.querySelector(`[data-part="${focused}"]:not(:disabled)`) || grip(index))?.focus();
}

/* Who is who: the engine's guess, a subject of its own, or the same as in another picture. */
function kinOf(index) {
  const own = open;
  const other = pictures.findIndex((p, i) => i !== index && own.group && p.group === own.group);
  const free = () => 1 + Math.max(0, ...pictures.map((p) => p.group || 0));
  const select = h('select', { class: 'view', 'aria-label': t`Subject of picture ${index + 1}`, dataset: { part: 'kin' }, onchange() {
    const before = own.group;
    if (this.value === '' || this.value === 'own') own.group = this.value ? free() : 0;
    else {
      const with_ = pictures[Number(this.value)];
      if (!with_.group) with_.group = free();
      own.group = with_.group;
    }
    if (before !== own.group) ungroup(pictures, before);
    commit(pictures.slice());
  } }, h('option', { value: '' }, t`Subject: guess`), h('option', { value: 'own' }, t`A subject of its own`),
  ...pictures.map((p, i) => (i === index ? null : h('option', { value: String(i) }, t`Same subject as picture ${i + 1}`))));
  select.value = other >= 0 ? String(other) : own.group ? 'own' : '';
  return select;
}
on('cutSaved', (saved) => {
  if (!saved || !pictures.includes(saved.picture)) return;
  saved.picture.mask = saved.mask;
  commit(pictures.slice());
});

/* ---- adding */
function complain(name, text) {
  const row = h('p', {}, h('span', {}, h('b', {}, name), ` ${text}`), h('button', { type: 'button', class: 'shut', 'aria-label': t`Dismiss`, onclick() { row.remove(); element.querySelector('.add, .grip')?.focus(); } }, icon('close')));
  refused.append(row);
  while (refused.children.length > 5) refused.firstChild.remove();
  return row;
}
/* Ways to make a picture fit, each shown; a click takes it, in place of `old` when there is one. */
async function offer(row, file, old = null) {
  const ways = await window.klingoMend.ways(file);
  if (!ways.length || !row.isConnected) return;
  row.classList.add('mending');
  row.append(h('span', { class: 'ways' }, ...ways.map((way) => h('button', { type: 'button', class: 'way', async onclick() {
    row.remove();
    const at = old ? pictures.indexOf(old) : pictures.length;
    await add([way.file]);
    const made = pictures[pictures.length - 1];
    if (old && made && made.blob === way.file) {
      Object.assign(made, { role: old.role, view: old.view, group: old.group });
      open = null;
      commit(pictures.filter((p) => p !== made && p !== old).toSpliced(at, 0, made), { renamed: [old, made] });
    }
    grip(at)?.focus();
  } }, h('img', { src: way.url, alt: '' }), h('span', {}, way.label, h('small', {}, way.size))))));
}
async function mend(picture) {
  refused.replaceChildren();
  const row = complain(nameOf(picture), t`can be made to fit. Choose how.`);
  try {
    const answer = await fetch(picture.file.url);
    if (!answer.ok) throw new Error('gone');
    await offer(row, new File([await answer.blob()], nameOf(picture), { type: picture.file.mime_type || '' }), picture);
    row.querySelector('.way')?.focus();
  } catch { row.remove(); announce(t`The server did not answer. Try again.`); }
}
const megabytes = (bytes) => `${(bytes / 1048576).toFixed(1)} MB`;
function measure(url) {
  return new Promise((resolve) => {
    const img = new Image();
    img.onload = () => resolve([img.naturalWidth, img.naturalHeight]);
    img.onerror = () => resolve(null);
    img.src = url;
  });
}
async function fault(file, url) {
  if (!TYPES.includes(file.type)) return t`is not a picture that can be used. Save it as JPG or PNG.`;
  if (file.size === 0) return t`is an empty file. Save it once more.`;
  if (file.size > facts.bytesMax) return { fit: true, text: t`has ${megabytes(file.size)}; the limit is ${megabytes(facts.bytesMax)}. Save it smaller.` };
  const size = await measure(url);
  if (!size) return t`cannot be read as a picture; it may be damaged. Save it once more.`;
  const [w, tall] = size;
  if (Math.min(w, tall) < facts.sideMin) return { fit: true, text: t`is ${w} × ${tall} px; each side needs at least ${facts.sideMin} px. Use a larger one.` };
  if (Math.max(w, tall) > facts.ratioMax * Math.min(w, tall)) return { fit: true, text: t`is too long and narrow (${w} × ${tall}); at most ${facts.ratioMax} to 1. Crop it.` };
  return '';
}
async function add(files) {
  refused.replaceChildren();
  const waits = [];
  let left = 0;
  for (const file of files) {
    if (pictures.length + pending.length >= most()) { left += 1; continue; }
    const url = URL.createObjectURL(file);
    const tile = h('li', { class: 'tile waiting' }, h('div', { class: 'grip' }, TYPES.includes(file.type) ? h('img', { src: url, alt: '', onerror(event) { event.target.remove(); } }) : null, h('span', { class: 'bar' })));
    const wait = { file, url, tile };
    pending.push(wait);
    waits.push(wait);
  }
  if (left) complain(String(left), hasVideo() ? t`more did not fit: at most ${most()} pictures beside a video.` : t`more did not fit: at most ${most()} pictures.`);
  set('uploading', pending.length);
  draw();
  const ready = await Promise.all(waits.map(async (wait) => {
    const name = wait.file.name || t`pasted picture`;
    try {
      const text = await fault(wait.file, wait.url);
      if (text) { const row = complain(name, text.text || text); if (text.fit) offer(row, wait.file); return null; }
      const answer = await upload(wait.file);
      if (!answer || !answer.path) throw new Error('no path');
      return { file: { ...asFile(answer.path, name, wait.file.type), size: wait.file.size }, role: '', blob: wait.file };
    } catch {
      complain(name, t`could not be uploaded. Check the connection and add it again.`);
      return null;
    } finally {
      URL.revokeObjectURL(wait.url);
    }
  }));
  pending = pending.filter((wait) => !waits.includes(wait));
  set('uploading', pending.length);
  const good = ready.filter(Boolean);
  if (good.length) { commit(pictures.concat(good)); announce(t`${pictureCount(good.length)} added. ${pictures.length} in all.`); } else draw();
}
function take(files) {
  const list = [...files];
  const clips = list.filter((f) => f.type.startsWith('video/'));
  const rest = list.filter((f) => !f.type.startsWith('video/'));
  if (clips.length) set('droppedClip', clips[0]);
  if (rest.length) add(rest);
}
chooser.addEventListener('change', () => { const files = [...chooser.files]; chooser.value = ''; take(files); });

/* A server that was restarted may have emptied its cache: whatever is gone is uploaded again from this page's memory.
   Resolves to true when every picture stands. */
window.klingo.standing = async () => {
  const gone = (await Promise.all(pictures.map(async (picture) => {
    try { return [403, 404].includes((await fetch(picture.file.url, { method: 'HEAD', cache: 'no-store' })).status) ? picture : null; } catch { return null; }
  }))).filter(Boolean);
  for (const picture of gone) {
    let answer = null;
    try { answer = picture.blob ? await upload(picture.blob) : null; } catch { /* told below */ }
    if (answer && answer.path) picture.file = { ...picture.file, ...asFile(answer.path, picture.file.orig_name, picture.file.mime_type), size: picture.file.size };
    else lost(picture);
  }
  if (gone.length) commit(pictures.slice());
  return gone.every((picture) => pictures.includes(picture));
};

/* ---- drop and paste, anywhere on the page */
const holdsFiles = (event) => [...(event.dataTransfer?.types || [])].includes('Files');
let depth = 0;
document.addEventListener('dragenter', (event) => { if (holdsFiles(event)) { depth += 1; document.body.classList.add('k-dropping'); } });
document.addEventListener('dragleave', (event) => { if (holdsFiles(event) && (depth -= 1) <= 0) { depth = 0; document.body.classList.remove('k-dropping'); } });
document.addEventListener('dragover', (event) => { if (holdsFiles(event)) event.preventDefault(); });
document.addEventListener('drop', (event) => {
  depth = 0;
  document.body.classList.remove('k-dropping');
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  take(event.dataTransfer.files);
});
document.addEventListener('paste', (event) => {
  const files = [...(event.clipboardData?.files || [])];
  if (!files.length) return;
  event.preventDefault();
  take(files);
});

/* ---- moving with a pointer: the held tile follows, the others make room */
let dragged = false;
tiles.addEventListener('pointerdown', (event) => {
  const tile = event.target.closest('.tile');
  if (!tile || tile.classList.contains('waiting') || event.button !== 0 || event.target.closest('.drop-it')) return;
  const picture = pictures.find((p) => p.key === tile.dataset.key);
  const from = { x: event.clientX, y: event.clientY };
  let moving = false;
  let shift = { x: 0, y: 0 };
  dragged = false;
  const longPress = event.pointerType === 'mouse' ? null : setTimeout(() => begin(), 280);
  function begin() {
    moving = true;
    dragged = true;
    tile.classList.add('held');
    document.body.classList.add('k-moving');
  }
  function follow(e) {
    if (!moving) {
      const far = Math.hypot(e.clientX - from.x, e.clientY - from.y) > 6;
      if (!far) return;
      if (event.pointerType !== 'mouse') { stop(); return; }
      begin();
    }
    e.preventDefault();
    tile.style.transform = '';
    const all = [...tiles.querySelectorAll('.tile:not(.waiting)')];
    const nearest = all.map((node) => { const r = node.getBoundingClientRect(); return [Math.hypot(e.clientX - r.left - r.width / 2, e.clientY - r.top - r.height / 2), node]; }).sort((a, b) => a[0] - b[0])[0][1];
    if (nearest !== tile) {
      const forward = all.indexOf(nearest) > all.indexOf(tile);
      tiles.insertBefore(tile, forward ? nearest.nextSibling : nearest);
    }
    const box = tile.getBoundingClientRect();
    shift = { x: e.clientX - box.left - box.width / 2, y: e.clientY - box.top - box.height / 2 };
    tile.style.transform = `translate(${shift.x}px, ${shift.y}px) scale(1.04)`;
  }
  function hold(e) { if (moving) e.preventDefault(); }
  function stop() {
    clearTimeout(longPress);
    window.removeEventListener('pointermove', follow);
    window.removeEventListener('pointerup', stop);
    window.removeEventListener('pointercancel', stop);
    tiles.removeEventListener('touchmove', hold);
    tile.classList.remove('held');
    tile.style.transform = '';
    document.body.classList.remove('k-moving');
    if (moving) {
      const order = [...tiles.querySelectorAll('.tile:not(.waiting)')].map((node) => pictures.find((p) => p.key === node.dataset.key));
      if (order.some((p, i) => p !== pictures[i])) {
        commit(order);
        announce(t`Picture moved to place ${order.indexOf(picture) + 1} of ${order.length}.`);
      }
      setTimeout(() => { dragged = false; }, 0);
    }
  }
  window.addEventListener('pointermove', follow, { passive: false });
  window.addEventListener('pointerup', stop);
  window.addEventListener('pointercancel', stop);
  tiles.addEventListener('touchmove', hold, { passive: false });
});
tiles.addEventListener('dragstart', (event) => event.preventDefault());

on('droppedPictures', (files) => { if (files) add(files); });
on('clip', draw);
on(['notes', 'named'], draw);
on('problems', () => { showProblems(problem, 'images'); draw(); });
on('take:pictures', (value) => { if (value) { open = null; refused.replaceChildren(); commit(value.map((p) => ({ ...p }))); } });
const kept = Array.isArray(draft.pictures) ? draft.pictures.filter((p) => p && p.file && typeof p.file.path === 'string') : [];
commit(kept.map(({ file, role, view, mask, group }) => ({ file: { ...asFile(file.path, file.orig_name, file.mime_type), size: file.size ?? null }, role: role || '', view: view || '',
  mask: mask && typeof mask.path === 'string' ? asFile(mask.path, 'mask.png', 'image/png') : null, group: Number.isInteger(group) ? group : 0 })), { quiet: true });
if (kept.length) setTimeout(() => trigger('changed'), 400);
