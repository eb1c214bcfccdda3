const { t, said, locale, h, icon, get, set, on, fileUrl, money, load, hold, announce } = window.klingo;
const $ = (selector) => element.querySelector(selector);
const list = $('ol');
let jobs = [];
let next = null;
let asking = false;
let late = null;
let question = 0;
const words = $('.words');
const wish = () => ({ search: words.value.trim(), engine: $('.tools .engine').value, state: $('.tools .state').value });
const narrowed = () => Object.values(wish()).some(Boolean);

function when(seconds) {
  const at = new Date(seconds * 1000);
  const today = new Date().toDateString() === at.toDateString();
  return today ? at.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' }) : at.toLocaleDateString(locale, { day: 'numeric', month: 'short' });
}
async function refresh() {
  if (!get('owner') || asking) { late = late || setTimeout(() => { late = null; refresh(); }, 400); return; }
  asking = true;
  const mine = question;
  let answer;
  try { answer = await server.history({ owner: get('owner'), before: null, ...wish() }); } catch { answer = undefined; }
  asking = false;
  if (mine !== question) { refresh(); return; }
  if (!answer || !answer.jobs) { setTimeout(refresh, 4000); return; }
  const older = jobs.filter((old) => answer.next !== null && old.created < answer.next);
  if (!older.length) next = answer.next;
  jobs = answer.jobs.concat(older);
  draw();
  const elsewhere = answer.jobs.some((one) => one.active && one.id !== get('job'));
  if (elsewhere) setTimeout(refresh, 2500);
}
/* Another wish starts the list anew. */
let typing = null;
function narrow() {
  clearTimeout(typing);
  typing = setTimeout(async () => {
    question += 1;
    jobs = [];
    await refresh();
    if (narrowed()) announce(!jobs.length ? t`Nothing fits.` : next === null ? t`${jobs.length} found.` : t`${jobs.length} or more found.`);
  }, 250);
}
words.addEventListener('input', narrow);
element.querySelectorAll('.tools select').forEach((select) => select.addEventListener('change', narrow));
$('.none button').addEventListener('click', () => {
  words.value = '';
  element.querySelectorAll('.tools select').forEach((select) => { select.value = ''; });
  narrow();
  words.focus();
});
/* Deleting hides at once and can be taken back for as long as the bar stands. */
const UNDO = 25000;
const bar = $('.undo');
let standing = null;
async function remove(job, button) {
  hold([button]);
  let answer;
  try { answer = await server.delete({ owner: get('owner'), job: job.id }); } catch { answer = undefined; }
  if (!answer || !answer.ok) { hold([button], false); announce(t`It could not be deleted. Try again.`); return; }
  jobs = jobs.filter((one) => one.id !== job.id);
  set('deleted', job.id);
  clearTimeout(standing);
  const undo = h('button', { type: 'button', async onclick() {
    hold([undo]);
    let back;
    try { back = await server.restore({ owner: get('owner'), job: job.id }); } catch { back = undefined; }
    clearTimeout(standing);
    if (back && back.ok) { await refresh(); (list.querySelector(`[data-id="${job.id}"] .open`) || words).focus(); bar.hidden = true; announce(t`It is back.`); } else bar.replaceChildren(h('span', {}, t`It could not be brought back.`));
  } }, t`Undo`);
  bar.replaceChildren(h('span', {}, said(answer.text)), undo);
  bar.hidden = false;
  draw();
  undo.focus();
  standing = setTimeout(() => { const held = bar.contains(document.activeElement); bar.hidden = true; draw(); if (held) (list.querySelector('.open') || document.querySelector('#k-prompt textarea')).focus({ preventScroll: true }); }, UNDO);
}
$('.older').addEventListener('click', async () => {
  let answer;
  try { answer = await server.history({ owner: get('owner'), before: next, ...wish() }); } catch { answer = undefined; }
  if (!answer || !answer.jobs) { announce(t`The server did not answer. Try again.`); return; }
  const first = jobs.length;
  jobs = jobs.concat(answer.jobs);
  next = answer.next;
  draw();
  list.children[first]?.querySelector('button')?.focus();
});
async function reuse(id) {
  let inputs;
  try { inputs = await server.inputs({ owner: get('owner'), job: id }); } catch { inputs = undefined; }
  if (!inputs || !inputs.pictures) { announce(t`The server did not answer. Try again.`); return; }
  load(inputs);
  window.scrollTo({ top: 0, behavior: window.matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
}
/* What can be compared. The run on the card is known there before the list has heard of its end, and also where
   a search hides it. */
function takes() {
  const view = get('view');
  const all = view ? [view, ...jobs.filter((one) => one.id !== view.id)] : jobs;
  return all.filter((one) => one.video).sort((a, b) => b.created - a.created);
}
/* With the take that is shown, else with the newest other one. */
function compare(job) {
  const known = takes();
  const others = known.filter((one) => one.id !== job.id);
  const other = others.find((one) => one.id === get('job')) || others[0];
  if (other) set('compare', { takes: known, pair: [other.id, job.id] });
}
function tile(job, comparable) {
  const shown = job.id === get('job');
  const picture = job.poster ? h('img', { src: fileUrl(job.poster), alt: '', loading: 'lazy' })
    : job.video ? h('video', { src: `${fileUrl(job.video)}#t=0.5`, muted: true, playsinline: true, preload: 'metadata', tabindex: '-1' })
      : h('span', { class: 'blank' }, job.active ? h('i', { class: 'spin' }) : icon(job.state === 'done' ? 'film' : 'alert'));
  return h('li', { class: shown ? 'shown' : '', dataset: { id: job.id } },
    h('button', { type: 'button', class: 'open', 'aria-current': shown ? 'true' : null, onclick() { set('showJob', job.id); document.querySelector('#k-result')?.scrollIntoView({ block: 'nearest' }); } },
      h('span', { class: 'look' }, picture, h('span', { class: 'mark' }, job.engine === 'draft' ? t`Draft` : 'Kling O1'), job.resume ? h('span', { class: 'mark ask' }, t`Waits for you`) : null),
      h('b', {}, job.prompt), h('small', {}, [job.state === 'done' ? '' : said(job.title), `${job.duration} s`, job.aspect, job.released ? t`not charged` : money(job.price), when(job.created)].filter(Boolean).join(' · '))),
    h('button', { type: 'button', class: 'again', 'aria-label': t`Use the inputs of ${job.prompt.slice(0, 60)}`, title: t`Use these inputs`, onclick() { reuse(job.id); } }, icon('reuse')),
    h('button', { type: 'button', class: 'again away', 'aria-label': t`Delete ${job.prompt.slice(0, 60)}`, title: said(job.delete_note), onclick() { remove(job, this); } }, icon('bin')),
    job.video && comparable ? h('button', { type: 'button', class: 'again beside', 'aria-label': t`Compare ${job.prompt.slice(0, 60)}`, title: t`Compare with another take`, onclick() { compare(job); } }, icon('columns')) : null,
    job.resume ? h('button', { type: 'button', class: 'go-on', 'aria-label': `${said(job.resume)}: ${job.prompt.slice(0, 60)}`, onclick() { set('resumeJob', job.id); } }, said(job.resume)) : null);
}
/* A tile stays as long as it says the same: who comes back to it from a dialog finds it. */
const tiles = new Map();
function tileOf(job, comparable) {
  const key = JSON.stringify([job, job.id === get('job'), comparable]);
  const [known, node] = tiles.get(job.id) || [];
  if (known === key) return node;
  const made = tile(job, comparable);
  tiles.set(job.id, [key, made]);
  return made;
}
function draw() {
  const focused = list.contains(document.activeElement) ? [document.activeElement.closest('li')?.dataset.id, document.activeElement.className] : null;
  const comparable = takes().length > 1;
  const key = JSON.stringify([jobs.map((job) => [job.id, job.state, job.poster, job.video]), get('job'), comparable, next, narrowed(), bar.hidden]);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  if (!narrowed()) set('jobs', jobs);
  $('.none').hidden = jobs.length > 0 || !narrowed();
  $('.history').hidden = !jobs.length && !narrowed() && bar.hidden;
  const fresh = jobs.map((job) => tileOf(job, comparable));
  for (const node of [...list.children]) if (!fresh.includes(node)) node.remove();
  fresh.forEach((node, i) => { if (list.children[i] !== node) list.insertBefore(node, list.children[i] || null); });
  $('.older').hidden = next === null;
  if (focused && focused[0]) list.querySelector(`[data-id="${focused[0]}"] .${focused[1].split(' ').join('.')}`)?.focus({ preventScroll: true });
}
on('owner', refresh);
on('stateChanged', refresh);
on(['job', 'view'], draw);
on('reuse', (id) => { if (id) reuse(id); });
