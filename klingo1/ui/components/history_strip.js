const { h, icon, get, set, on, fileUrl, money, load, announce } = window.klingo;
const $ = (selector) => element.querySelector(selector);
const list = $('ol');
let jobs = [];
let next = null;
let asking = false;
let late = null;

function when(seconds) {
  const at = new Date(seconds * 1000);
  const today = new Date().toDateString() === at.toDateString();
  return today ? at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }) : at.toLocaleDateString([], { day: 'numeric', month: 'short' });
}
async function refresh() {
  if (!get('owner') || asking) { late = late || setTimeout(() => { late = null; refresh(); }, 400); return; }
  asking = true;
  let answer;
  try { answer = await server.history({ owner: get('owner'), before: null }); } catch { answer = undefined; }
  asking = false;
  if (!answer || !answer.jobs) { setTimeout(refresh, 4000); return; }
  const older = jobs.filter((old) => answer.next !== null && old.created < answer.next);
  if (!older.length) next = answer.next;
  jobs = answer.jobs.concat(older);
  draw();
  const elsewhere = answer.jobs.some((one) => one.active && one.id !== get('job'));
  if (elsewhere) setTimeout(refresh, 2500);
}
$('.older').addEventListener('click', async () => {
  let answer;
  try { answer = await server.history({ owner: get('owner'), before: next }); } catch { answer = undefined; }
  if (!answer || !answer.jobs) { announce('The server did not answer. Try again.'); return; }
  const first = jobs.length;
  jobs = jobs.concat(answer.jobs);
  next = answer.next;
  draw();
  list.children[first]?.querySelector('button')?.focus();
});
async function reuse(id) {
  let inputs;
  try { inputs = await server.inputs({ owner: get('owner'), job: id }); } catch { inputs = undefined; }
  if (!inputs || !inputs.pictures) { announce('The server did not answer. Try again.'); return; }
  load(inputs);
  window.scrollTo({ top: 0, behavior: window.matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
}
function tile(job) {
  const shown = job.id === get('job');
  const picture = job.poster ? h('img', { src: fileUrl(job.poster), alt: '', loading: 'lazy' })
    : job.video ? h('video', { src: `${fileUrl(job.video)}#t=0.5`, muted: true, playsinline: true, preload: 'metadata', tabindex: '-1' })
      : h('span', { class: 'blank' }, job.active ? h('i', { class: 'spin' }) : icon(job.state === 'done' ? 'film' : 'alert'));
  return h('li', { class: shown ? 'shown' : '', dataset: { id: job.id } },
    h('button', { type: 'button', class: 'open', 'aria-current': shown ? 'true' : null, onclick() { set('showJob', job.id); document.querySelector('#k-result')?.scrollIntoView({ block: 'nearest' }); } },
      h('span', { class: 'look' }, picture, h('span', { class: 'mark' }, job.engine === 'draft' ? 'Draft' : 'Kling O1')),
      h('b', {}, job.prompt), h('small', {}, [job.state === 'done' ? '' : job.title, `${job.duration} s`, job.aspect, money(job.price), when(job.created)].filter(Boolean).join(' · '))),
    h('button', { type: 'button', class: 'again', 'aria-label': `Use the inputs of ${job.prompt.slice(0, 60)}`, title: 'Use these inputs', onclick() { reuse(job.id); } }, icon('reuse')));
}
function draw() {
  const focused = list.contains(document.activeElement) ? [document.activeElement.closest('li')?.dataset.id, document.activeElement.className] : null;
  const key = JSON.stringify([jobs.map((job) => [job.id, job.state, job.poster, job.video]), get('job'), next]);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  set('jobs', jobs);
  $('.history').hidden = !jobs.length;
  list.replaceChildren(...jobs.map(tile));
  $('.older').hidden = next === null;
  if (focused && focused[0]) list.querySelector(`[data-id="${focused[0]}"] .${focused[1]}`)?.focus({ preventScroll: true });
}
on('owner', refresh);
on('stateChanged', refresh);
on('job', draw);
on('reuse', (id) => { if (id) reuse(id); });
