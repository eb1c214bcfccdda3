const { t, said, sentences, h, icon, get, set, on, money, asFile, sendFile, fileUrl, hold, announce } = window.klingo;
const $ = (selector) => element.querySelector(selector);
const LISTS = /\.(jsonl|ndjson|csv)$/i;
const EXAMPLE = 'prompt,images,duration,aspect_ratio\n"@Image1 walks along the beach at sunset",hero.jpg,5,16:9\n"@Image1 and @Image2 wave in the snow",hero.jpg|friend.jpg,3,9:16\n';
let files = [];
let offer = null;
let asking = '';
let shown = '';
let last = null;
let timer = null;
let turn = 0;

/* ---- the files */
async function add(chosen) {
  const fresh = [...chosen];
  if (!fresh.length) return;
  offer = null;
  asking = 'upload';
  draw();
  let lost = 0;
  const queue = fresh.slice();
  const hand = async () => {
    for (let file = queue.shift(); file; file = queue.shift()) {
      let path;
      try { path = await sendFile(file); } catch { lost += 1; continue; }
      files = files.filter((one) => one.orig_name !== file.name && !(LISTS.test(file.name) && LISTS.test(one.orig_name)));
      files.push({ ...asFile(path, file.name, file.type), size: file.size });
    }
  };
  await Promise.all([hand(), hand(), hand()]);
  asking = '';
  complain(lost ? t`${lost} files could not be uploaded. Check the connection and add them again.` : '');
  price();
}
function price() {
  offer = null;
  turn += 1;
  if (!files.some((one) => LISTS.test(one.orig_name))) { tellWrong([]); draw(); return; }
  send('price');
}
function send(what, more = {}) {
  asking = what;
  draw();
  props.value = { files, click: { ask: what, turn: String(turn), engine: $('.engine').value, tier: $('.tier').value, ...more } };
  trigger(what);
}
$('.choose').addEventListener('click', () => $('input[type=file]').click());
$('input[type=file]').addEventListener('change', (event) => { add(event.target.files); event.target.value = ''; });
$('.engine').addEventListener('change', () => { $('.tiers').hidden = $('.engine').value !== 'kling'; price(); });
$('.sample').addEventListener('click', () => save('klingo1-list.csv', 'text/csv', EXAMPLE));
for (const kind of ['dragenter', 'dragover', 'dragleave', 'drop']) {
  document.addEventListener(kind, (event) => {
    if (!get('listing') || !event.dataTransfer || ![...event.dataTransfer.types].includes('Files')) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    $('.drop').classList.toggle('over', kind === 'dragenter' || kind === 'dragover');
    if (kind === 'drop') add(event.dataTransfer.files);
  }, true);
}

/* ---- what the server says */
function complain(text) { $('.general').replaceChildren(...(text ? [h('span', {}, text)] : [])); }
function tellWrong(wrong, count = 0) {
  const rest = count - wrong.length;
  $('.wrong').replaceChildren(...wrong.map((one) => h('li', {}, h('b', {}, t`Line ${one.line}`), `${one.field}: ${sentences(one.text, one.remedy)}`)),
    ...(rest > 0 ? [h('li', {}, t`and ${rest} more lines`)] : []));
}
on('listAnswer', (answer) => {
  if (!answer || !answer.turn || answer.turn !== String(turn)) return;
  asking = '';
  complain(answer.problem ? sentences(answer.problem.text, answer.problem.remedy) : answer.wrong ? t`Nothing was started. Mend these lines and add the list again.` : '');
  tellWrong(answer.wrong || [], answer.count || 0);
  offer = answer.ticket ? answer : answer.problem ? offer : null;
  if (answer.ticket) announce(t`${answer.lines.length} videos, ${money(answer.price)} together.`);
  if (answer.admitted) { files = []; shown = answer.admitted; announce(t`The list is on its way.`); poll(); set('stateChanged', answer.admitted); }
  draw();
});
$('.go').addEventListener('click', () => {
  if (!offer || asking) return;
  /* The same ticket goes along with another click, so that a lost answer never makes a second list. */
  send('admit', { ticket: offer.ticket, expected: offer.price });
  const mine = turn;
  setTimeout(() => { if (asking === 'admit' && mine === turn) { asking = ''; complain(t`The server has not answered yet. Click again: it stays one list.`); draw(); } }, 20000);
});

function draw() {
  renew($('.files'), ...files.map((one) => h('li', { class: LISTS.test(one.orig_name) ? 'list' : '' }, h('span', {}, one.orig_name),
    h('button', { type: 'button', 'aria-label': t`Remove ${one.orig_name}`, dataset: { key: one.orig_name }, onclick() { files = files.filter((other) => other !== one); price(); } }, icon('close')))));
  const go = $('.go');
  go.setAttribute('aria-disabled', String(!offer || Boolean(asking)));
  go.textContent = asking === 'upload' ? t`Uploading…` : asking === 'price' ? t`Checking every line…` : asking === 'admit' ? t`Sending…`
    : offer ? `${t`Make ${offer.lines.length} videos`} · ${money(offer.price)}` : t`Add a list to see its price`;
  const box = $('.offer');
  box.hidden = !offer;
  if (offer) box.replaceChildren(table([t`Line`, t`Request`, t`Price`], offer.lines.map((one) => [String(one.line),
    [h('span', { class: 'p' }, one.prompt), h('small', {}, [one.name, `${one.duration} s`, one.aspect].filter(Boolean).join(' · '))], money(one.price)]), ['n', '', 'm']));
  element.querySelector('.desk').classList.toggle('alone', $('.made').hidden);
}
function table(heads, rows, kinds) {
  return h('table', {}, h('thead', {}, h('tr', {}, ...heads.map((head, i) => h('th', { class: kinds[i], scope: 'col' }, head)))),
    h('tbody', {}, ...rows.map((cells) => h('tr', {}, ...cells.map((cell, i) => h('td', { class: kinds[i] }, ...[].concat(cell)))))));
}

/* ---- the rows, asked for while they can be seen */
const KINDS = () => ({ done: t`done`, going: t`in work`, waiting: t`waiting`, asking: t`waiting for you`, ended: t`stopped or failed` });
async function poll() {
  clearTimeout(timer);
  if (!get('owner') || !get('listing')) return;
  let answer;
  try { answer = await server.list_standing({ owner: get('owner'), list: shown }); } catch { answer = undefined; }
  if (answer && answer.rows) {
    const moved = JSON.stringify(answer) !== JSON.stringify(last);
    last = answer;
    shown = answer.list;
    if (moved) tell(answer);
  }
  clearTimeout(timer);
  if (!answer || (answer.rows.length && !answer.over)) timer = setTimeout(poll, answer ? 1500 : 4000);
}
/* Draws anew; what had the focus and says the same has it again. */
function renew(box, ...nodes) {
  const { key } = (box.contains(document.activeElement) && document.activeElement.dataset) || {};
  box.replaceChildren(...nodes);
  if (key) (box.querySelector(`[data-key="${CSS.escape(key)}"]`) || box.querySelector('button') || $('.choose')).focus({ preventScroll: true });
}
function tell(answer) {
  const made = $('.made');
  made.hidden = !answer.rows.length;
  if (made.hidden) { draw(); return; }
  const of = (kind) => answer.states[kind] || 0;
  $('.head h2').textContent = answer.over ? t`The list is made` : t`${of('done')} of ${answer.count} videos made`;
  const words = KINDS();
  $('.sums').textContent = [...Object.keys(words).filter(of).map((kind) => `${of(kind)} ${words[kind]}`),
    answer.price ? t`${money(answer.spent)} spent, ${money(answer.held)} held of ${money(answer.price)}` : t`free`].join(' · ');
  const bad = of('ended') + of('asking');
  for (const [name, count] of [['done', of('done')], ['going', of('going')], ['bad', bad]]) $(`.meter .${name}`).style.width = `${100 * count / answer.count}%`;
  $('.meter').setAttribute('aria-label', $('.sums').textContent);
  const act = (label, run, lead = false) => h('button', { type: 'button', class: lead ? 'lead-act' : '', dataset: { key: label }, onclick() { run(this); } }, label);
  renew($('.acts'), ...[
    answer.halted && act(t`Go on`, () => { turn += 1; send('carry_on', { list: answer.list }); }, true),
    of('waiting') > 0 && act(t`Give up what waits`, withdraw),
    act(t`Rows as CSV`, () => results('csv')), act(t`Rows as JSON`, () => results('jsonl')),
  ].filter(Boolean));
  const place = $('.rows').scrollTop;
  renew($('.rows'), table([t`Line`, t`Request`, t`State`, t`Price`], answer.rows.map((row) => [String(row.line),
    [h('span', { class: 'p' }, row.prompt), row.problem ? h('small', { class: 'bad' }, said(row.problem)) : null].filter(Boolean),
    [h('div', { class: 'st' }, h('i', { class: `dot ${row.kind}` }), row.kind === 'waiting' ? h('span', {}, said(row.title)) : h('button', { type: 'button', class: 'show', dataset: { key: row.line }, onclick() { set('showJob', row.job); window.scrollTo({ top: 0 }); } }, said(row.title))),
      row.progress !== null ? h('small', {}, `${Math.round(row.progress * 100)} %`) : null].filter(Boolean),
    said(row.money)]), ['n', '', 's', 'm']));
  $('.rows').scrollTop = place;
  draw();
  if (answer.rows.some((row) => row.kind === 'done')) set('stateChanged', `${answer.list}:${of('done')}`);
}
async function withdraw(button) {
  hold([button]);
  let answer;
  try { answer = await server.list_withdraw({ owner: get('owner'), list: shown }); } catch { answer = undefined; }
  hold([button], false);
  announce(answer ? t`${answer.withdrawn} videos were given up; they cost nothing.` : t`The server did not answer. Try again.`);
  poll();
}
async function results(kind) {
  let rows;
  try { rows = await server.list_results({ owner: get('owner'), list: shown }); } catch { rows = undefined; }
  if (!rows) { announce(t`The server did not answer. Try again.`); return; }
  const whole = rows.map((row) => ({ ...row, video: row.video ? fileUrl(row.video) : '' }));
  if (kind === 'jsonl') { save('klingo1-results.jsonl', 'application/x-ndjson', whole.map((row) => `${JSON.stringify(row)}\n`).join('')); return; }
  const names = Object.keys(whole[0] || {});
  /* What begins like a formula is kept from being one. */
  const cell = (value) => { const text = value === null ? '' : String(value); return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replace(/"/g, '""')}"`; };
  save('klingo1-results.csv', 'text/csv', [names.join(','), ...whole.map((row) => names.map((name) => cell(row[name])).join(','))].join('\r\n'));
}
function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = h('a', { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
on(['listing', 'owner'], poll);
draw();
