const { t, facts, h, icon, get, set, on, draft, announce, clearProblems, showProblems, hasVideo, notesOf, asFile, sendFile, pictureCount, diskFull } = window.klingo;
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
const grip = (index) => tiles.querySelectorAll('.grip')[index];

const details = window.klingoPicturePanel(panel, { all: () => pictures, commit, move, mend, grip, remarksOf, nameOf });
const hand = window.klingoPictureMoving(tiles, (keys, moved) => {
  const known = keys.map((key) => pictures.find((p) => p.key === key)).filter(Boolean);
  const order = known.concat(pictures.filter((p) => !known.includes(p)));
  if (order.every((p, i) => p === pictures[i])) { draw(); return; }
  commit(order);
  announce(t`Picture moved to place ${keys.indexOf(moved) + 1} of ${order.length}.`);
});

/* ---- the list and everything that follows from it */
/* `renamed` is [old, new]: a picture in another's place keeps its mentions. */
function commit(next, { quiet = false, renamed = [] } = {}) {
  const before = pictures;
  pictures = next;
  const mapping = {};
  before.forEach((picture, i) => { const at = next.indexOf(picture === renamed[0] ? renamed[1] : picture); mapping[i + 1] = at < 0 ? null : at + 1; });
  tell();
  set('pictures', next);
  if (!quiet && Object.entries(mapping).some(([from, to]) => Number(from) !== to)) set('moved', mapping);
  clearProblems('images');
  draw();
}
function tell() { props.value = pictures.map(({ file, role, view, mask, group }) => ({ file, role, view: view || '', mask: mask || null, group: group || 0 })); }
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
  details.ungroup(left, gone.group);
  commit(left);
  announce(t`${nameOf(gone)} removed. ${pictures.length} left.`);
  (grip(Math.min(index, pictures.length - 1)) || element.querySelector('.add'))?.focus();
}
const firstOf = (picture) => (picture.group ? pictures.findIndex((p) => p.group === picture.group) : -1);

/* ---- drawing: tiles are kept by key, so that focus and loaded pictures stay */
function tileOf(picture) {
  picture.key ||= `p${serial += 1}`;
  let tile = tiles.querySelector(`[data-key="${picture.key}"]`);
  if (!tile) {
    const img = h('img', { src: picture.file.url, alt: '', draggable: 'false', onerror() { if (!picture.blob) lost(picture); }, onload() { picture.width = img.naturalWidth; picture.height = img.naturalHeight; } });
    tile = h('li', { class: 'tile', dataset: { key: picture.key } },
      h('button', { type: 'button', class: 'grip' }, img), h('span', { class: 'number', 'aria-hidden': 'true' }), h('span', { class: 'flag', 'aria-hidden': 'true' }), h('span', { class: 'kin', 'aria-hidden': 'true' }),
      h('button', { type: 'button', class: 'drop-it' }, icon('close')));
    tile.querySelector('.grip').addEventListener('click', () => { if (!hand.moved()) toggle(picture); });
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
  /* While a hand moves a tile, the order is the hand's. */
  if (!hand.holds() && (old.length !== nodes.length || old.some((node, i) => node !== nodes[i]))) tiles.replaceChildren(...nodes);
  if (held && held.isConnected && document.activeElement !== held) held.focus();
  count.textContent = slots ? t`${slots} of ${most()}` : '';
  count.classList.toggle('over', slots > most());
  details.draw(open);
}
function toggle(picture) {
  open = open === picture ? null : picture;
  draw();
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
async function add(files) {
  refused.replaceChildren();
  const waits = [];
  let left = 0;
  for (const file of files) {
    if (pictures.length + pending.length >= most()) { left += 1; continue; }
    const url = URL.createObjectURL(file);
    const tile = h('li', { class: 'tile waiting' }, h('div', { class: 'grip' }, window.klingoMend.TYPES.includes(file.type) ? h('img', { src: url, alt: '', onerror(event) { event.target.remove(); } }) : null, h('span', { class: 'bar' })));
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
      const text = await window.klingoMend.fault(wait.file, wait.url);
      if (text) { const row = complain(name, text.text || text); if (text.fit) offer(row, wait.file); return null; }
      const path = await sendFile(wait.file, (sent) => wait.tile.querySelector('.bar').style.setProperty('--sent', `${sent}%`));
      return { file: { ...asFile(path, name, wait.file.type), size: wait.file.size }, role: '', blob: wait.file };
    } catch (error) {
      complain(name, diskFull(error) ? t`could not be uploaded: the disk of this page is almost full. Try again later.` : t`could not be uploaded. Check the connection and add it again.`);
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

const PATIENCE = 5000;
/* A server that was restarted may have emptied its cache: whatever is gone is uploaded again from this page's memory.
   Resolves to true when every picture stands. */
window.klingo.standing = async () => {
  const gone = (await Promise.all(pictures.map(async (picture) => {
    try { return [403, 404].includes((await fetch(picture.file.url, { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) })).status) ? picture : null; } catch { return null; }
  }))).filter(Boolean);
  for (const picture of gone) {
    let path = '';
    try { path = picture.blob ? await sendFile(picture.blob) : ''; } catch { /* told below */ }
    if (path) picture.file = { ...picture.file, ...asFile(path, picture.file.orig_name, picture.file.mime_type), size: picture.file.size };
    else lost(picture);
  }
  if (gone.length) commit(pictures.slice());
  return gone.every((picture) => pictures.includes(picture));
};

/* ---- drop and paste, anywhere on the page */
const holdsFiles = (event) => [...(event.dataTransfer?.types || [])].includes('Files');
let depth = 0;
document.body.dataset.drop = t`Drop pictures or a video anywhere`;
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

on('droppedPictures', (files) => { if (files) add(files); });
on('form', tell);
on('clip', draw);
on(['notes', 'named', 'cast'], draw);
on('problems', () => { showProblems(problem, 'images'); draw(); });
on('take:pictures', (value) => { if (value) { open = null; refused.replaceChildren(); commit(value.map((p) => ({ ...p }))); } });
const kept = Array.isArray(draft.pictures) ? draft.pictures.filter((p) => p && p.file && typeof p.file.path === 'string') : [];
commit(kept.map(({ file, role, view, mask, group }) => ({ file: { ...asFile(file.path, file.orig_name, file.mime_type), size: file.size ?? null }, role: role || '', view: view || '',
  mask: mask && typeof mask.path === 'string' ? asFile(mask.path, 'mask.png', 'image/png') : null, group: Number.isInteger(group) ? group : 0 })), { quiet: true });
