const { t, said, sentences, h, icon, get, set, on, clock, money, fileUrl, hold, announce } = window.klingo;
const $ = (selector) => element.querySelector(selector);
const card = $('.card');
const bar = $('.bar');
let job = '';
let run = 0;
let view = null;
let received = 0;
let announced = '';
let video = null; // the address that the player has; null while there is no player
let usually; // what earlier runs took, asked once a job
const baseTitle = said(document.title);

/* ---- the session: what Python hands over at arrival and after each click */
function takeSession() {
  const session = props.value || {};
  if (!session.turn || session.turn === get('session')) return;
  set('owner', session.owner);
  set('quote', session.quote);
  set('lent', Boolean(session.lent));
  set('signIn', Boolean(session.sign_in));
  set('hasKey', Boolean(session.has_key));
  if ('user' in session) set('user', session.user);
  set('problems', session.problems || []);
  set('session', session.turn);
  idle(() => { if (video === null) publish(); });
  if (session.started) { set('newJob', session.job); if (window.matchMedia('(max-width: 860px)').matches) document.querySelector('#k-result')?.scrollIntoView({ behavior: window.matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth', block: 'start' }); }
  show(session.job, session.started || (session.job && session.job === job));
  if (session.started) announced = session.job; // a run that begins here is told from its first state on
}
function show(id, again = false) {
  if (!id || (id === job && !again)) return;
  if (id !== job) { view = null; announced = ''; usually = undefined; closeForms(); }
  job = id;
  set('job', id);
  trigger('remember');
  run += 1;
  poll(run, 0);
}
async function poll(mine, failures) {
  if (mine !== run || !element.isConnected) return;
  let answer;
  try { answer = await server.status({ owner: get('owner') || '', job, usual: usually === undefined }); } catch { answer = undefined; }
  if (mine !== run) return;
  if (answer === null) { view = null; set('view', null); card.hidden = true; publish(); return; }
  if (!answer || answer.id !== job) {
    $('.net').textContent = failures >= 1 ? t`No connection. Your job goes on without this page; looking again…` : '';
    setTimeout(() => poll(mine, failures + 1), Math.min(8000, 1000 * 1.6 ** failures));
    return;
  }
  $('.net').textContent = '';
  take(answer);
  const waiting = !answer.active && !answer.ended;
  if (answer.ended) return;
  const age = answer.now - answer.created;
  const pause = document.hidden ? 5000 : waiting ? 4000 : answer.engine === 'draft' && age < 30 ? (age < 4 ? 200 : 500) : age < 600 ? 1000 : 4000;
  setTimeout(() => poll(mine, 0), pause);
}
function take(next) {
  if (next.usual !== undefined) usually = next.usual;
  const changed = !view || view.state !== next.state || view.id !== next.id;
  view = next;
  received = performance.now();
  draw();
  set('view', view);
  if (changed) {
    const text = `${said(view.title)}. ${said(view.problem ? view.problem.text : view.note)}`;
    if (announced && announced !== text) announce(text);
    announced = text;
    set('stateChanged', `${view.id}:${view.state}`);
    if (!view.active) tellDone(view);
  }
  publish();
  if (get('resuming') === view.id) { set('resuming', ''); if (view.resume) acts.resume(); }
}
/* The player is half of the page's script. It comes as soon as the page stands, not with the first result: what
   a cut network keeps from coming does not come again. Its file it gets from here; nothing is asked again. */
const idle = window.requestIdleCallback || ((then) => setTimeout(then, 300));
function publish() {
  const next = view && view.video ? view.video : '';
  if (next === video) return;
  video = next;
  trigger('shown');
}

/* ---- other forms of a finished video: asked for again and again until it is made */
const forms = $('.forms');
let ordered = 0;
function closeForms() { forms.hidden = true; ordered += 1; $('.made').textContent = ''; setBusy(false); }
function setBusy(busy) { hold(forms.querySelectorAll('button'), busy); }
async function order(kind, size) {
  const mine = (ordered += 1);
  const began = performance.now();
  const asked = { owner: get('owner') || '', job, kind, size, with_cost: kind === 'html' && $('.cost').checked };
  const what = { mp4: 'MP4', webm: 'WebM', gif: 'GIF', png: t`contact sheet`, html: t`offline page` }[kind];
  setBusy(true);
  let misses = 0;
  while (mine === ordered) {
    let answer;
    try { answer = await server.hand_out(asked); } catch { answer = undefined; }
    if (mine !== ordered) return;
    misses = answer && answer.state ? 0 : misses + 1;
    if (misses > 6 || (answer && answer.state === 'refused')) { $('.made').textContent = answer && answer.text ? sentences(answer.text, answer.remedy) : t`The server does not answer. Try again.`; break; }
    if (answer && answer.state === 'ready') {
      try { await saveAs(fileUrl(answer.path), answer.name); $('.made').textContent = t`The ${what} is ready and being saved.`; } catch { $('.made').textContent = t`The connection broke off. Try again.`; }
      break;
    }
    $('.made').textContent = t`The ${what} is being made… ${clock((performance.now() - began) / 1000)}`;
    await new Promise((done) => { setTimeout(done, 700); });
  }
  setBusy(false);
}
/* By way of memory: the server names files in its own way. */
async function saveAs(url, name) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error('no file');
  const link = h('a', { href: URL.createObjectURL(await answer.blob()), download: name });
  element.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
forms.addEventListener('click', (event) => {
  const form = event.target.closest('button')?.dataset.form;
  if (form) order(form === 'video' ? $('.kind').value : form, form === 'video' ? $('.size').value : 'original');
});

/* ---- drawing */
function draw() {
  card.hidden = false;
  card.dataset.mood = view.active ? 'busy' : view.state === 'done' ? 'good' : view.ended ? (view.state === 'stopped' ? 'calm' : 'bad') : 'ask';
  $('.title').textContent = said(view.title);
  $('.maker').textContent = `${said(view.engine_name)} · ${said(view.money)}`;
  $('.note').textContent = view.active ? sentences(view.note, usual(), t`Safe to close this page.`) : said(view.note);
  $('.note').hidden = !$('.note').textContent;
  window.klingo.reading($('.k-reading'), view.ended ? view.reading : null, t`Understood`);
  bar.hidden = !view.active;
  const known = typeof view.progress === 'number';
  bar.classList.toggle('open', !known);
  bar.firstElementChild.style.width = known ? `${Math.round(view.progress * 100)}%` : '';
  if (known) { bar.setAttribute('role', 'progressbar'); bar.setAttribute('aria-label', t`Progress`); bar.setAttribute('aria-valuemin', '0'); bar.setAttribute('aria-valuemax', '100'); bar.setAttribute('aria-valuenow', String(Math.round(view.progress * 100))); } else bar.removeAttribute('role'), ['label', 'valuenow', 'valuemin', 'valuemax'].forEach((n) => bar.removeAttribute(`aria-${n}`));
  const trouble = $('.trouble');
  card.toggleAttribute('data-calm', view.problem?.kind === 'OutOfCredit');
  trouble.hidden = !view.problem;
  trouble.replaceChildren(...(view.problem ? [h('b', {}, said(view.problem.text)), view.problem.remedy ? h('span', {}, ` ${said(view.problem.remedy)}`) : null].filter(Boolean) : []));
  drawActions();
  drawDetails();
  tick();
}
/* What runs of this kind took before: the middle half of at least five, from the ledger's own history. */
function usual() {
  if (!usually) return '';
  const [low, high, runs] = usually;
  const span = high < 90 ? [Math.round(low), Math.max(Math.round(low) + 1, Math.ceil(high)), t`s`] : [Math.max(1, Math.round(low / 60)), Math.ceil(high / 60), t`min`];
  return t`Most ${view.duration} s runs took ${span[0]}–${span[1]} ${span[2]} (n = ${runs}).`;
}
const awaited = new Set();
function tellDone(job) { if (awaited.delete(job.id)) window.klingoChime.ring(said(job.title), job.prompt.slice(0, 120)); }
function drawActions() {
  const box = $('.actions');
  const wanted = [];
  if (view.stop) wanted.push(['stop', said(view.stop.label), 'stop', said(view.stop.note)]);
  if (view.active) wanted.push(['notify', awaited.has(view.id) ? t`Will tell you` : t`Tell me when done`, 'bell', '']);
  if (view.settle) wanted.push(['settle', said(view.settle), 'search', '']);
  if (view.resume) wanted.push(['resume', said(view.resume), 'again', '']);
  if (view.promote !== null && view.promote !== undefined) wanted.push(['promote', t`Make it with Kling O1 · ${money(view.promote)}`, null, '']);
  if (view.video) wanted.push(['download', t`Download`, 'down', ''], ['forms', t`More formats`, 'share', '']);
  if (view.ended) wanted.push(['reuse', t`Use these inputs`, 'reuse', '']);
  if (view.video) wanted.push(['asClip', t`As reference video`, 'film', ''], ['asPicture', t`This frame as picture`, 'picture', '']);
  const key = JSON.stringify([view.id, wanted]);
  if (box.dataset.key === key) return;
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.act : '';
  box.dataset.key = key;
  box.replaceChildren(...wanted.map(([act, label, mark, hint]) => (act === 'download'
    ? h('a', { href: fileUrl(view.video), download: `klingo1-${view.engine}-${view.id.slice(0, 8)}.mp4`, class: 'act', dataset: { act } }, icon(mark), label)
    : h('button', { type: 'button', class: act === 'promote' || act === 'settle' || (act === 'resume' && !view.settle) ? 'act lead' : act === 'asClip' || act === 'asPicture' ? 'act quiet' : 'act', 'aria-pressed': act === 'notify' ? String(awaited.has(view.id)) : null, 'aria-expanded': act === 'forms' ? String(!forms.hidden) : null, 'aria-controls': act === 'forms' ? 'k-forms' : null, title: hint || null, dataset: { act }, onclick() { acts[act](this); } }, mark ? icon(mark) : null, label))));
  const hint = wanted.find(([, , , note]) => note);
  if (hint) box.append(h('span', { class: 'hint' }, hint[3]));
  box.hidden = !wanted.length;
  if (focused) (box.querySelector(`[data-act="${focused}"]`) || box.querySelector('.act') || $('summary')).focus();
}
const acts = {
  async stop(button) {
    hold([button]);
    let answer;
    try { answer = await server.stop({ owner: get('owner') || '', job }); } catch { answer = undefined; }
    hold([button], false);
    if (answer && answer.id) { run += 1; take(answer); if (!answer.ended) poll(run, 0); } else announce(t`The server did not answer. Try again.`);
  },
  resume() {
    if (view.state === 'needs_key' && !get('hasKey')) { set('take:engine', 'kling'); window.klingo.focusField('key'); return; }
    trigger('resume', { job });
  },
  promote() {
    if (!get('hasKey')) {
      set('take:engine', 'kling');
      set('pendingPromotion', job);
      window.klingo.focusField('key');
      announce(t`Enter your WaveSpeed key first.`);
      return;
    }
    if (get('sending')) return;
    set('sending', true);
    trigger('promote', { job, quote: get('quote') || '', expected: view.promote });
    setTimeout(() => set('sending', false), 15000);
  },
  forms(button) {
    if (forms.hidden) { forms.hidden = false; $('.kind').focus(); } else closeForms();
    button.setAttribute('aria-expanded', String(!forms.hidden));
  },
  settle() { set('findLost', job); },
  reuse() { set('reuse', job); },
  asClip() {
    set('take:clip', { file: window.klingo.asFile(view.video, `${said(view.title)}.mp4`, 'video/mp4'), url: '', keep_sound: true });
    announce(t`The video is the reference video now.`);
    document.querySelector('#k-clip .clip .away')?.focus();
  },
  asPicture() {
    const player = document.querySelector('#k-video video');
    if (!player || !player.videoWidth) return;
    const canvas = h('canvas', { width: player.videoWidth, height: player.videoHeight });
    canvas.getContext('2d').drawImage(player, 0, 0);
    canvas.toBlob((blob) => { if (blob) set('droppedPictures', [new File([blob], `${t`frame at ${player.currentTime.toFixed(1)} s`}.jpg`, { type: 'image/jpeg' })]); }, 'image/jpeg', 0.95);
  },
  async notify() {
    if (!awaited.delete(job)) {
      awaited.add(job);
      await window.klingoChime.allow();
      announce(t`You will be told when it is done.`);
    }
    drawActions();
  },
};
function drawDetails() {
  const rows = [[t`Job`, view.id], [t`Cost`, said(view.money)]];
  const flat = (value, path) => {
    if (value && typeof value === 'object' && !Array.isArray(value) && path !== 'data.draft') { for (const [k, v] of Object.entries(value)) flat(v, path ? `${path}.${k}` : k); return; }
    rows.push([path, typeof value === 'string' ? value : JSON.stringify(value)]);
  };
  flat(view.details, '');
  const phases = view.phases.map(([name, at], i) => { const until = view.phases[i + 1] ? view.phases[i + 1][1] : null; return until === null ? said(name) : `${said(name)} ${(until - at).toFixed(1)} s`; });
  if (phases.length) rows.push([t`Phases`, phases.join(' → ')]);
  const key = JSON.stringify(rows);
  const list = $('.more dl');
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...rows.filter(([k]) => k).flatMap(([k, v], i) => [h('dt', {}, k), h('dd', {}, v === '' ? '–' : v, i ? null : h('button', { type: 'button', class: 'copy', onclick() { copy(v, this); } }, t`Copy`))]));
}
/* Browsers give the clipboard to safe addresses only; elsewhere a selection does it. */
async function copy(text, button) {
  try { await navigator.clipboard.writeText(text); } catch {
    const field = h('textarea', {}, text);
    button.after(field);
    field.select();
    document.execCommand('copy');
    field.remove();
    button.focus();
  }
  button.textContent = t`Copied`;
  announce(t`Copied`);
  setTimeout(() => { button.textContent = t`Copy`; }, 2000);
}
function tick() {
  if (!view) return;
  const end = view.finished;
  const seconds = end ? end - view.created : view.now - view.created + (performance.now() - received) / 1000;
  const text = end ? (seconds < 60 ? `${seconds.toFixed(1)} s` : clock(seconds)) : clock(seconds);
  if ($('.clock').textContent !== text) $('.clock').textContent = text;
  document.title = view.active ? `${typeof view.progress === 'number' ? `${Math.round(view.progress * 100)} %` : clock(seconds)} · ${said(view.title)}` : view.ended && view.state === 'done' && document.hidden ? `✓ ${said(view.title)} · klingo1` : baseTitle;
}
setInterval(() => { if (view && view.active && !document.hidden) tick(); }, 500);
document.addEventListener('visibilitychange', () => { if (!document.hidden && job && view && !view.ended) { run += 1; poll(run, 0); } else tick(); });
window.addEventListener('online', () => { if (job && (!view || !view.ended)) { run += 1; poll(run, 0); } });
on('jobs', (jobs) => { if (view && view.active) draw(); for (const one of jobs || []) if (!one.active) tellDone(one); });
/* The run on the card was deleted: the card makes room. */
on('deleted', (id) => { if (id && id === job) { run += 1; job = ''; view = null; card.hidden = true; closeForms(); set('job', ''); set('view', null); trigger('remember'); publish(); document.title = baseTitle; } });
on('resumeJob', (id) => { if (id) { set('resuming', id); show(id, true); } });
on('showJob', (id) => { if (id) show(id); });
on('hasKey', (has) => { if (has && get('pendingPromotion') === job && view && view.promote !== null) { set('pendingPromotion', ''); setTimeout(() => element.querySelector('[data-act=promote]')?.focus(), 50); } });
watch('value', takeSession);
takeSession();
