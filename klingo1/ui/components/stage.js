const { t, said, facts, h, icon, get, set, on, fileUrl, load, pictureCount, hasVideo } = window.klingo;
const $ = (selector) => element.querySelector(selector);
const examples = props.examples || [];
const list = $('.examples ul');
list.append(...examples.map((example) => h('li', {}, h('button', { type: 'button', onclick() { load({ ...example, prompt: said(example.prompt) }); document.querySelector('#k-generate button')?.focus({ preventScroll: true }); } },
  h('span', { class: 'strip' }, ...example.pictures.slice(0, 3).map((p) => h('img', { src: p.thumbnail, alt: '' }))),
  h('b', {}, said(example.title)), h('small', {}, `${pictureCount(example.pictures.length)} · ${example.duration} s · ${example.aspect}`)))));

/* A finished example plays on the empty stage; who asked for less motion sees its poster. */
const sample = examples.find((example) => example.film && example.poster);
const film = $('.film');
let still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
function drawFilm(wanted) {
  film.hidden = !wanted;
  const player = film.querySelector('video');
  if (!wanted) { if (player) player.pause(); return; }
  if (!player) {
    const made = h('video', { poster: fileUrl(sample.poster), loop: true, playsinline: true, preload: 'none', tabindex: '-1', 'aria-label': t`Example: ${said(sample.prompt)}` });
    made.muted = true;
    made.src = fileUrl(sample.film);
    made.addEventListener('error', () => { film.hidden = true; });
    const play = h('button', { type: 'button', class: 'play', onclick() { still = !made.paused; drawFilm(true); } });
    film.replaceChildren(made, h('span', { class: 'made' }, t`Example draft, made on this machine · free`), play);
    drawFilm(true);
    return;
  }
  if (still) player.pause(); else player.play().catch(() => { still = true; drawFilm(true); });
  const button = film.querySelector('.play');
  button.setAttribute('aria-label', still ? t`Play the example` : t`Pause the example`);
  button.replaceChildren(icon(still ? 'play' : 'pause'));
}

/* The first frame of a draft in work. */
function drawEarly(path) {
  const early = $('.early');
  early.hidden = !path;
  if (!path || early.dataset.path === path) return;
  early.dataset.path = path;
  early.alt = t`The draft's first frame`;
  early.src = fileUrl(path);
}

let shownPictures = '';
function draw() {
  const view = get('view');
  const pictures = get('pictures') || [];
  const asked = (view && view.active ? view.aspect : get('aspect')) || facts.aspectDefault;
  const playing = Boolean(view && view.video);
  const state = playing ? 'video' : view && view.active ? 'running' : view && !view.ended ? 'waiting' : view && view.problem ? (pictures.length ? 'waiting' : 'problem') : pictures.length ? 'ready' : 'empty';
  const aspect = state === 'empty' && sample ? sample.aspect : asked;
  const [w, tall] = aspect.split(':').map(Number);
  document.querySelector('.gradio-container').dataset.show = playing ? 'video' : 'stage';
  const root = $('.stage');
  root.dataset.state = state;
  root.classList.toggle('filmed', state === 'empty' && Boolean(sample));
  drawFilm(state === 'empty' && Boolean(sample));
  drawEarly(state === 'running' ? view.poster : '');
  $('.frame').style.setProperty('--ratio', String(w / tall));
  $('.shape').textContent = aspect;
  const key = pictures.map((p) => p.file.url).join('|');
  if (key !== shownPictures) {
    shownPictures = key;
    $('.cast').replaceChildren(...pictures.slice(0, 5).map((p, i) => { const img = h('img', { src: p.file.url, alt: '' }); img.style.setProperty('--i', String(i - (Math.min(5, pictures.length) - 1) / 2)); return img; }));
    $('.backdrop').style.backgroundImage = pictures.length ? `url("${pictures[pictures.length - 1].file.url.replace(/["\\\n]/g, encodeURIComponent)}")` : 'none';
  }
  const seconds = get('duration') || facts.durationDefault;
  const headline = { empty: t`Your video appears here`, ready: t`Ready when you are`, running: '', waiting: view ? said(view.title) : '', problem: view ? said(view.title) : '', video: '' }[state];
  const subline = { empty: t`Add pictures and a sentence. A draft is free and takes seconds.`, ready: `${pictureCount(pictures.length)}${hasVideo() ? t` and a video` : ''} · ${seconds} s · ${aspect}`, running: '', waiting: view && view.ended ? t`Your inputs are kept.` : '', problem: t`Your inputs are kept.`, video: '' }[state];
  if ($('.headline').textContent !== headline) $('.headline').textContent = headline;
  if ($('.subline').textContent !== subline) $('.subline').textContent = subline;
  $('.examples').hidden = !examples.length || state === 'running' || (pictures.length > 0 && state !== 'empty') || playing;
}
/* The player's own buttons carry fixed names; they are read out in words instead. */
const PLAYER = { 'play-pause-replay-button': t`Play or pause`, 'Adjust volume': t`Volume`, 'full-screen': t`Full screen` };
new MutationObserver(() => {
  for (const [name, own] of Object.entries(PLAYER)) for (const button of document.querySelectorAll(`#k-video [aria-label="${name}"]`)) button.setAttribute('aria-label', own);
}).observe(document.querySelector('#k-result'), { childList: true, subtree: true });
/* Before the player knows how long its video is, its clock reads NaN. */
for (const kind of ['loadstart', 'loadedmetadata']) {
  document.querySelector('#k-result').addEventListener(kind, (event) => event.target.closest('#k-video')?.toggleAttribute('data-timed', kind !== 'loadstart'), true);
}
on(['view', 'pictures', 'aspect', 'duration', 'clip'], draw);
draw();
