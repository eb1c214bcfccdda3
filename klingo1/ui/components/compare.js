const { t, said, locale, h, icon, get, on, money, fileUrl, announce } = window.klingo;
const $ = (selector) => element.querySelector(selector);
const box = $('.compare');
const [one, two] = element.querySelectorAll('video');
const [first, second] = element.querySelectorAll('select');
const play = $('.go-on');
const seek = $('.seek');
const STRAY = 0.08; // seconds by which the second take may stray
const rates = new Map(); // frames a second by run, promised by the server
let frame = 1 / 24; // of the finer of the two takes: no picture of either is stepped over
let known = []; // the takes to choose from
let chosen = [];
let opener = null;
let asked = ''; // the run whose button opened it
$('.shut').append(icon('close'));
$('.back').append(icon('left'));
$('.forth').append(icon('right'));

/* The time comes first: in a narrow box it is what tells one take from the other. */
function when(job) {
  const at = new Date(job.created * 1000);
  const day = at.toDateString() === new Date().toDateString() ? {} : { day: 'numeric', month: 'short' };
  return at.toLocaleString(locale, { ...day, hour: '2-digit', minute: '2-digit' });
}
const length = () => Math.max(one.duration || 0, two.duration || 0);

function open({ takes, pair: [a, b] }) {
  known = takes;
  opener = document.activeElement;
  asked = b;
  for (const select of [first, second]) select.replaceChildren(...known.map((job) => h('option', { value: job.id }, `${when(job)} · ${job.engine === 'draft' ? t`Draft` : 'Kling O1'} · ${job.prompt.slice(0, 60)}`)));
  first.value = a;
  second.value = b;
  document.querySelector('#k-video video')?.pause();
  if (!box.open) box.showModal();
  take();
  play.focus();
}
function take() {
  chosen = [first.value, second.value].map((id) => known.find((job) => job.id === id));
  pause();
  /* Both stand in the taller one's shape. */
  box.style.setProperty('--shape', String(Math.min(...chosen.map((job) => job.aspect.split(':').reduce((w, tall) => w / tall)))));
  [one, two].forEach((video, i) => { const url = fileUrl(chosen[i].video); if (video.getAttribute('src') !== url) video.src = url; });
  measure(chosen);
  jump(0);
  tell();
}
/* Resolves when the step is as long as a picture stands. */
function measure(pair) {
  for (const { id } of pair) if (!rates.has(id)) rates.set(id, server.rate({ owner: get('owner') || '', job: id }).catch(() => null));
  measured = Promise.all(pair.map(({ id }) => rates.get(id))).then((known) => {
    known.forEach((rate, i) => { if (!rate) rates.delete(pair[i].id); });
    if (pair === chosen) frame = 1 / (Math.max(...known.map((rate) => rate || 0)) || 24);
  });
}
let measured = null;
const TOOK = t`Took`;
const FACTS = [
  [t`Prompt`, (job) => job.prompt], [t`Made by`, (job) => said(job.engine_name)], [t`Duration`, (job) => `${job.duration} s`], [t`Shape`, (job) => job.aspect],
  [t`Pictures`, (job) => String(job.pictures)], [t`Reference video`, (job) => (job.with_video ? t`with one` : t`without`)], [t`Price`, (job) => money(job.price)],
  [TOOK, (job) => (job.finished ? `${(job.finished - job.created).toFixed(0)} s` : '–')],
];
function tell() {
  const rows = FACTS.map(([name, of]) => [name, of(chosen[0]), of(chosen[1])]).filter(([, a, b]) => a !== b);
  $('.same').hidden = rows.some(([name]) => name !== TOOK);
  $('.table').hidden = !rows.length;
  $('tbody').replaceChildren(...rows.map(([name, a, b]) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, a), h('td', {}, b))));
}

/* ---- played as one: the first take leads, the second is put right when it strays */
let running = false;
function draw() {
  const at = Math.max(one.currentTime, two.currentTime);
  seek.max = String(length() || 1);
  if (document.activeElement !== seek || running) seek.value = String(at);
  seek.style.setProperty('--fill', `${length() ? (at / length()) * 100 : 0}%`);
  $('.time').textContent = `${at.toFixed(2)} / ${length().toFixed(1)} s`;
  play.replaceChildren(icon(running ? 'pause' : 'play'));
  play.setAttribute('aria-label', running ? t`Pause both` : t`Play both`);
}
function follow() {
  if (!running || !box.open) return;
  const lead = one.duration >= two.duration || !two.duration ? one : two;
  const other = lead === one ? two : one;
  if (!other.ended && Math.abs(other.currentTime - lead.currentTime) > STRAY && lead.currentTime < other.duration) other.currentTime = lead.currentTime;
  if (lead.ended) { pause(); return; }
  draw();
  requestAnimationFrame(follow);
}
function pause() { running = false; one.pause(); two.pause(); draw(); }
function jump(seconds) {
  for (const video of [one, two]) video.currentTime = Math.max(0, Math.min(seconds, (video.duration || seconds) - 0.001));
  draw();
}
play.addEventListener('click', async () => {
  if (running) { pause(); jump(Math.max(one.currentTime, two.currentTime)); return; }
  if (Math.max(one.currentTime, two.currentTime) >= length() - frame) jump(0);
  running = true;
  try { await Promise.all([one, two].map((video) => (video.currentTime < video.duration - frame ? video.play() : null))); } catch { pause(); return; }
  requestAnimationFrame(follow);
});
const step = async (count) => { pause(); await measured; jump((Math.floor(Math.max(one.currentTime, two.currentTime) / frame + 0.01) + count) * frame + 0.001); };
$('.back').addEventListener('click', () => step(-1));
$('.forth').addEventListener('click', () => step(1));
seek.addEventListener('input', () => { pause(); jump(Number(seek.value)); });
for (const video of [one, two]) for (const event of ['loadedmetadata', 'seeked']) video.addEventListener(event, draw);
for (const select of [first, second]) select.addEventListener('change', take);
$('.shut').addEventListener('click', () => box.close());
box.addEventListener('click', (event) => { if (event.target === box) box.close(); });
box.addEventListener('keydown', (event) => {
  if (event.target.matches('select, input')) return;
  if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') { event.preventDefault(); step(event.key === 'ArrowLeft' ? -1 : 1); }
});
box.addEventListener('close', () => {
  pause();
  for (const video of [one, two]) { video.removeAttribute('src'); video.load(); }
  /* The button that opened it may have been drawn anew, its take deleted. */
  const again = opener && opener.isConnected ? opener : document.querySelector(`#k-history [data-id="${asked}"] .beside`) || document.querySelector('#k-history .open');
  (again || document.querySelector('#k-prompt textarea')).focus();
  announce(t`Comparison closed.`);
});
on('compare', (wish) => { if (wish) open(wish); });
